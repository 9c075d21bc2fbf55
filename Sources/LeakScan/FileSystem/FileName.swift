package import SystemPackage

/// The name of an entry of a directory, as the file system stores it, which need not be UTF-8.
package struct FileName: Sendable, Hashable, ExpressibleByStringLiteral {
    package let bytes: [UInt8]

    init(bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    package init(stringLiteral text: String) { bytes = Array(text.utf8) }

    /// The name as text; what is not UTF-8 is replaced.
    package var string: String { String(decoding: bytes, as: UTF8.self) }

    func ends(with end: String) -> Bool { bytes.suffix(end.utf8.count).elementsEqual(end.utf8) }

    func starts(with start: String) -> Bool { bytes.starts(with: start.utf8) }
}

extension FilePath {
    /// The path of an entry of this directory.
    package func appending(_ name: FileName) -> FilePath {
        let folder = bytes
        return FilePath(bytes: folder.isEmpty ? name.bytes : folder + [UInt8(ascii: "/")] + name.bytes)
    }
}
