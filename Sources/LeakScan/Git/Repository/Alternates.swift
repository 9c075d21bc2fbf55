import SystemPackage

/// Other object directories that a repository borrows from (`objects/info/alternates`), at any depth.
enum Alternates {
    /// More than so many are not followed; git itself stops at a depth of 5.
    private static let limit = 256

    /// `own`, then what it and they borrow from: each directory once, so that loops end.
    static func all(from own: FilePath) -> [FilePath] {
        var found: [FilePath] = []
        var seen: Set<Identity> = []
        var waiting = [own]
        while let next = waiting.popLast(), found.count < limit {
            guard let state = try? InputFile.state(of: next, followingSymlinks: true), state.isDirectory,
                seen.insert(Identity(state)).inserted
            else { continue }
            found.append(next)
            let file = next.appending("info").appending("alternates")
            guard let contents = try? InputFile.contents(of: file, limit: 1 << 20) else { continue }
            let lines = contents.split(separator: UInt8(ascii: "\n"))
            waiting.append(contentsOf: lines.reversed().compactMap { path($0, from: next) })
        }
        return found
    }

    private static func path(_ line: ArraySlice<UInt8>, from directory: FilePath) -> FilePath? {
        guard let first = line.first, first != UInt8(ascii: "#") else { return nil }
        let bytes = first == UInt8(ascii: "\"") ? CQuoting.unquoted(line) : Array(line)
        return directory.pushing(FilePath(bytes: bytes)).lexicallyNormalized()
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
