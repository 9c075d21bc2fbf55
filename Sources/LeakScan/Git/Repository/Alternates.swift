import SystemPackage

/// Other object directories that a repository borrows from (`objects/info/alternates`), at any depth.
struct Alternates {
    /// The repository's own object directory, then what it and they borrow from: each once, so that loops end.
    private(set) var directories: [FilePath] = []
    /// Those that cannot be borrowed from, and why.
    private(set) var missing: [(path: FilePath, why: String)] = []

    /// The maximum number that is followed; git itself stops at a depth of 5.
    private static let limit = 256

    init(of own: FilePath) {
        var seen: Set<Identity> = []
        var waiting = [own]
        while let next = waiting.popLast(), directories.count < Self.limit {
            do throws(Errno) {
                let state = try InputFile.state(of: next, followingSymlinks: true)
                guard state.isDirectory else { throw .notDirectory }
                guard seen.insert(Identity(state)).inserted else { continue }
            } catch {
                missing.append((next, "\(error)"))
                continue
            }
            directories.append(next)
            let file = next.appending("info").appending("alternates")
            do throws(Errno) {
                let contents = try InputFile.contents(of: file, limit: 1 << 20)
                let lines = contents.split(separator: UInt8(ascii: "\n"))
                waiting.append(contentsOf: lines.reversed().compactMap { Self.path($0, from: next) })
            } catch {
                if error != .noSuchFileOrDirectory { missing.append((file, "\(error)")) }
            }
        }
    }

    /// The kernel resolves it, from where the directory really is.
    private static func path(_ line: ArraySlice<UInt8>, from directory: FilePath) -> FilePath? {
        guard let first = line.first, first != UInt8(ascii: "#") else { return nil }
        let bytes = first == UInt8(ascii: "\"") ? CQuoting.unquoted(line) : Array(line)
        let path = directory.pushing(FilePath(bytes: bytes))
        return ResolvedPath.of(path) ?? path
    }

    struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64

        init(_ state: InputFile.State) {
            device = state.device
            inode = state.inode
        }
    }
}

/// Names between double quotes with C's escapes, as git writes unusual paths.
enum CQuoting {
    static func unquoted(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var rest = text.dropFirst()
        while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
            guard byte == UInt8(ascii: "\\"), let escaped = rest.popFirst() else {
                result.append(byte)
                continue
            }
            switch escaped {
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "0")...UInt8(ascii: "3"):
                let digits = [escaped] + rest.prefix(2)
                rest = rest.dropFirst(2)
                result.append(digits.reduce(0) { $0 << 3 | ($1 & 7) })
            default: result.append(escaped)
            }
        }
        return result
    }
}
