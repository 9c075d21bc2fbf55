internal import KeyStore
internal import Keys
internal import SystemPackage
internal import Systemd

/// When the store was last copied with `keyvigil backup`: the date in a small file beside it.
enum LastBackup {
    static func path(_ store: String) -> String { "\(store).last-backup" }

    /// Nil where no backup is known of.
    static func read(store: String) -> Instant? {
        guard let bytes = try? SmallFile.bytes(of: path(store), limit: 64) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return try? Instant(parsing: String(text.prefix { $0 != "\n" }))
    }

    /// Why it could not be written, in words.
    static func reason(_ error: any Error) -> String {
        (error as? Errno).map(SmallFile.reason) ?? (error as? InputError)?.message ?? "\(error)"
    }

    static func write(_ now: Instant, store: String) throws {
        try DirectoryOwner(ofFile: store).act {
            try SmallFile.replace(path(store), with: Array("\(now)\n".utf8), permissions: [.ownerReadWrite])
        }
    }
}
