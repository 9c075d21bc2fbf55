import SystemPackage

/// What Git LFS commits in place of a file (git-lfs, "Specification"): the hash of its content, which lies in the repository's
/// `lfs` folder.
struct LFSPointer {
    private let hash: [UInt8]

    private static let mark = Array("version https://git-lfs.github.com/spec/".utf8)
    /// A pointer is no longer, in bytes.
    private static let longest = 1024

    /// Nil for what is no pointer.
    init?(_ bytes: Span<UInt8>) {
        guard bytes.count < Self.longest, bytes.count > Self.mark.count,
            Self.mark.indices.allSatisfy({ bytes[$0] == Self.mark[$0] })
        else { return nil }
        let lines = Array(copying: bytes).split(separator: UInt8(ascii: "\n"))
        let key = Array("oid sha256:".utf8)
        guard let line = lines.first(where: { $0.starts(with: key) }) else { return nil }
        let hash = Array(line.dropFirst(key.count))
        guard ObjectID(hex: hash) != nil, hash.count == 64 else { return nil }
        self.hash = hash
    }

    /// Where the content lies in a storage.
    func path(in storage: FilePath) -> FilePath {
        FilePath(bytes: storage.bytes + Array("/objects/".utf8) + hash[..<2] + [UInt8(ascii: "/")] + hash[2..<4])
            .pushing(FilePath(bytes: hash))
    }

    /// The storage of a repository: `lfs` in its git directory, or what `lfs.storage` says.
    static func storage(of layout: RepositoryLayout) -> FilePath {
        let text = (try? InputFile.contents(of: layout.commonDirectory.appending("config"), limit: 16 << 20)) ?? []
        return layout.commonDirectory.pushing(FilePath(GitConfig(text).lfsStorage ?? "lfs"))
    }
}
