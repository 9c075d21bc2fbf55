import Synchronization

/// Whether a pack and its index are what the checksums at their ends say: what is remembered of a pack by them holds for
/// every copy of it, in whatever repository.
final class PackIntegrity: Sendable {
    private let pack: Pack
    private let control: ScanControl
    private let found = Mutex<GitReadError?>(nil)

    /// Bytes that are read at a time.
    private static let step = 1 << 20

    init(_ pack: Pack, _ control: ScanControl) {
        self.pack = pack
        self.control = control
    }

    /// What is wrong, after ``run()``.
    var problem: GitReadError? { found.withLock(\.self) }

    /// Reads both whole.
    func run() {
        do throws(GitReadError) {
            let hash = ContentHash(idLength: pack.idLength)
            let content = try checksum(.file(pack.file), pack.end, hash)
            guard content == pack.index.packChecksum || control.isCancelled else {
                throw .damagedPack("its content does not have the checksum at its end; git fsck says more")
            }
            let index = pack.index.checked
            let own = try checksum(index.bytes, index.end, hash)
            guard own == pack.index.ownChecksum || control.isCancelled else {
                throw .damagedPack(
                    "its index does not have the checksum at its end; git index-pack, after the index is moved away, makes one that has"
                )
            }
        } catch {
            found.withLock { $0 = error }
        }
    }

    private func checksum(_ bytes: IndexBytes, _ end: UInt64, _ hash: ContentHash) throws(GitReadError) -> [UInt8] {
        hash.restart()
        let buffer = ByteBuffer(capacity: Self.step)
        var at: UInt64 = 0
        while at < end, !control.isCancelled {
            let count = Int(min(UInt64(Self.step), end - at))
            try bytes.read(at: at, count: count, into: buffer)
            hash.add(buffer.bytes)
            at += UInt64(count)
        }
        return hash.finish()
    }
}
