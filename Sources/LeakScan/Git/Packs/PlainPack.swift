/// A pack without an index, as it is in a bundle or where somebody has copied it to: its entries are found one after the
/// other. Where an entry builds on an object that it names, all objects are named, too: by their checksums.
final class PlainPack {
    private struct Entry {
        let offset: UInt64
        let header: PackEntryHeader
        /// How many compressed bytes follow the header.
        let length: Int
    }

    private let bytes: PackBytes
    private let size: UInt64
    private let limit: Int
    private let control: ScanControl
    /// How much may still be inflated and put together, in bytes.
    private(set) var budget: UInt64
    /// Something was too long to be read.
    private(set) var isOverfull = false
    private let inflater = Inflater()
    private var entries: [Entry] = []
    /// What builds on the entry with a number.
    private var children: [Int: [Int]] = [:]
    /// What builds on the object with a name.
    private var childrenOfNamed: [ObjectID: [Int]] = [:]
    private var idLength = 20
    private lazy var hash = ContentHash(idLength: idLength)

    /// A bundle's list of refs is no longer, in bytes.
    private static let longestHead = 64 << 20

    /// - Parameters:
    ///   - size: of all bytes.
    ///   - limit: longer objects are not put together, in bytes.
    ///   - budget: nor are more bytes than that inflated, of all. An entry is inflated to find the next one, however long its
    ///     object is.
    init(_ bytes: PackBytes, size: UInt64, limit: Int, budget: UInt64, control: ScanControl) {
        self.bytes = bytes
        self.size = size
        self.limit = limit
        self.budget = budget
        self.control = control
    }

    /// Calls `body` with each object: its kind, the offset of its entry, and its content.
    ///
    /// - Returns: how many objects could not be read.
    func forEachObject(_ body: (ObjectKind, UInt64, ByteBuffer) -> Void) -> Int {
        var expected = 1
        do throws(GitReadError) {
            let start = try findStart()
            expected = try readEntries(from: start)
        } catch {
            // What was found before any damage is searched.
        }
        var read = 0
        for (number, entry) in entries.enumerated() where !control.isCancelled {
            guard case .whole(let kind) = entry.header.content, let content = try? inflate(entry) else { continue }
            walk(number, kind: kind, content) {
                read += 1
                body($0, $1, $2)
            }
        }
        return max(0, expected - read)
    }

    /// Where the pack starts: a bundle begins with lines, of which an empty one is the last.
    private func findStart() throws(GitReadError) -> UInt64 {
        let head = ByteBuffer(capacity: 16)
        try bytes.read(at: 0, count: 16, into: head)
        guard head.count > 0, head.bytes[0] == UInt8(ascii: "#") else { return 0 }
        let text = ByteBuffer(capacity: min(Self.longestHead, Int(clamping: size)))
        try bytes.read(at: 0, count: text.capacity, into: text)
        let lines = text.bytes
        var at = 0
        while at + 1 < lines.count {
            if lines[at] == 0x0a, lines[at + 1] == 0x0a { break }
            at += 1
        }
        guard at + 1 < lines.count else { throw .damagedPack("its list of refs has no end") }
        let names = String(decoding: Array(copying: lines.extracting(0..<at)), as: UTF8.self)
        if names.contains("@object-format=sha256") { idLength = 32 }
        return UInt64(at + 2)
    }

    /// - Returns: how many entries there are said to be.
    private func readEntries(from start: UInt64) throws(GitReadError) -> Int {
        let head = ByteBuffer(capacity: 12)
        try bytes.read(at: start, count: 12, into: head)
        guard head.count == 12, PackBytes.begins(head.bytes) else { throw .damagedPack("it is not a packfile") }
        let count = Int(IndexBytes.word(head.bytes, 8))
        var at = start + 12
        var numbers: [UInt64: Int] = [:]
        for number in 0..<count where !control.isCancelled {
            let window = ByteBuffer(capacity: PackEntryHeader.longest)
            guard (try? bytes.read(at: at, count: PackEntryHeader.longest, into: window)) != nil,
                let header = try? PackEntryHeader(window.bytes, idLength: idLength),
                let length = skip(at + UInt64(header.length), header)
            else { return count }
            numbers[at] = number
            switch header.content {
            case .offsetDelta(let distance):
                if distance <= at, let base = numbers[at - distance] { children[base, default: []].append(number) }
            case .referenceDelta(let base): childrenOfNamed[base, default: []].append(number)
            case .whole: break
            }
            entries.append(Entry(offset: at, header: header, length: length))
            at += UInt64(header.length + length)
        }
        return count
    }

    /// How many compressed bytes an entry has; nil for what is damaged, or more than may be inflated.
    private func skip(_ start: UInt64, _ header: PackEntryHeader) -> Int? {
        let stream = StreamInflater()
        let input = ByteBuffer()
        let output = ByteBuffer(capacity: 64 << 10)
        var taken = 0
        while !stream.isFinished, !control.isCancelled {
            input.reset(capacity: 64 << 10)
            output.reset(capacity: 64 << 10)
            guard (try? bytes.read(at: start + UInt64(taken), count: 64 << 10, into: input)) != nil, input.count > 0,
                let now = try? stream.inflate(input.bytes, room: 64 << 10, into: output),
                now > 0 || output.count > 0 || stream.isFinished, (try? spend(UInt64(output.count))) != nil
            else { return nil }
            taken += now
        }
        return taken
    }

    private func inflate(_ entry: Entry) throws(GitReadError) -> ByteBuffer {
        guard entry.header.size <= UInt64(limit) else {
            isOverfull = true
            throw .tooLarge("it has \(entry.header.size) bytes")
        }
        let compressed = ByteBuffer(capacity: entry.length)
        try bytes.read(at: entry.offset + UInt64(entry.header.length), count: entry.length, into: compressed)
        let content = ByteBuffer(capacity: Int(entry.header.size))
        do {
            _ = try inflater.inflate(compressed.bytes, count: Int(entry.header.size), into: content)
        } catch { throw .inflating(error) }
        return content
    }

    private func spend(_ bytes: UInt64) throws(GitReadError) {
        guard bytes <= budget else {
            isOverfull = true
            throw .tooLarge("its pack holds too much")
        }
        budget -= bytes
    }

    /// Goes on with what builds on an object, depth first.
    private func walk(
        _ root: Int, kind: ObjectKind, _ content: ByteBuffer, _ body: (ObjectKind, UInt64, ByteBuffer) -> Void
    ) {
        body(kind, entries[root].offset, content)
        var path = [(content: content, rest: takeChildren(of: root, kind, content))]
        while let top = path.indices.last, !control.isCancelled {
            guard let child = path[top].rest.popLast() else {
                path.removeLast()
                continue
            }
            guard let made = try? apply(entries[child], to: path[top].content) else { continue }
            body(kind, entries[child].offset, made)
            path.append((made, takeChildren(of: child, kind, made)))
        }
    }

    /// What builds on an object; each is given once, though copies of an object have one name.
    private func takeChildren(of number: Int, _ kind: ObjectKind, _ content: ByteBuffer) -> [Int] {
        let placed = children[number] ?? []
        guard !childrenOfNamed.isEmpty else { return placed }
        hash.addHeader(kind, size: UInt64(content.count))
        hash.add(content.bytes)
        return placed + (childrenOfNamed.removeValue(forKey: hash.finishID()) ?? [])
    }

    private func apply(_ entry: Entry, to base: ByteBuffer) throws(GitReadError) -> ByteBuffer {
        let instructions = try inflate(entry)
        let sizes = try Delta.sizes(instructions.bytes)
        guard sizes.base == UInt64(base.count), sizes.result <= UInt64(limit) else {
            throw .damagedObject("its delta does not fit its base")
        }
        try spend(sizes.result)
        let result = ByteBuffer(capacity: Int(sizes.result))
        var delta = Delta()
        try delta.apply(
            instructions.bytes, at: sizes.at, to: base.bytes, count: Int(sizes.result), into: result, reach: nil,
            hits: [])
        return result
    }
}
