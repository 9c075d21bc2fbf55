/// Files by the hundred thousand, in little memory.
///
/// Their names lie one behind the other, each with a NUL at its end, as the system wants them. There are states only of those
/// files that were looked at.
struct FileTable: Sendable, RandomAccessCollection {
    /// What is searched of a file, beside its name.
    enum Content: UInt8, Sendable, BitwiseCopyable {
        case whole
        /// Where a symlink leads to.
        case target
        /// Nothing: it is a pipe, a socket or a device, or, without a name, an empty folder.
        case none
    }

    /// A file; its name and state are asked of the table that it is in.
    struct File: Sendable, BitwiseCopyable {
        var content: Content
        var source: Occurrence.Source
        /// It was asked for by its own name, which may be a symlink.
        var followsSymlinks: Bool
        /// A place among the listing's roots, and one among its folders.
        var root: Int { Int(rootNumber) }
        var folder: Int { Int(folderNumber) }
        fileprivate var rootNumber: Int32
        fileprivate var folderNumber: Int32
        fileprivate var nameStart: Int
        fileprivate var nameLength: Int32
        /// -1 for one that was not looked at.
        fileprivate var state: Int32
    }

    private var files: [File] = []
    private var names: [UInt8] = []
    private var states: [InputFile.State] = []

    var startIndex: Int { 0 }
    var endIndex: Int { files.count }
    subscript(index: Int) -> File { files[index] }

    /// - Parameters:
    ///   - name: without a NUL.
    ///   - state: nil if the file is looked at when it is read.
    mutating func append(
        _ name: some Collection<UInt8>, _ state: InputFile.State?, source: Occurrence.Source, root: Int, folder: Int,
        content: Content = .whole, followsSymlinks: Bool = false
    ) {
        files.append(
            File(
                content: content, source: source, followsSymlinks: followsSymlinks, rootNumber: Int32(root),
                folderNumber: Int32(folder),
                nameStart: names.count, nameLength: Int32(name.count), state: state == nil ? -1 : Int32(states.count)))
        names.append(contentsOf: name)
        names.append(0)
        if let state { states.append(state) }
    }

    /// Appends the files of another table, whose folders are counted from `firstFolder` on here.
    mutating func append(_ other: FileTable, firstFolder: Int) {
        guard !files.isEmpty || firstFolder > 0 else {
            self = other
            return
        }
        files.reserveCapacity(files.count + other.count)
        for var file in other.files {
            file.folderNumber += Int32(firstFolder)
            file.nameStart += names.count
            if file.state >= 0 { file.state += Int32(states.count) }
            files.append(file)
        }
        names += other.names
        states += other.states
    }

    /// Nil if the file is looked at when it is read.
    func state(of file: File) -> InputFile.State? { file.state < 0 ? nil : states[Int(file.state)] }

    func name(of file: File) -> ArraySlice<UInt8> { names[file.nameStart..<(file.nameStart + Int(file.nameLength))] }

    /// The name with the NUL at its end.
    @_lifetime(borrow self)
    func terminatedName(of file: File) -> Span<UInt8> {
        names.span.extracting(file.nameStart..<(file.nameStart + Int(file.nameLength) + 1))
    }
}
