internal import Glibc
import SystemPackage

/// The header of a file of systemd's journal, as far as it identifies the entries:
/// https://systemd.io/JOURNAL_FILE_FORMAT/#header
struct JournalHeader {
    /// The id of the file, which it keeps when it is rotated.
    let fileID: [UInt8]
    /// The id of the sequence numbers, in hexadecimal.
    let sequence: String
    /// The sequence numbers of the entries; empty where there is none.
    let numbers: Range<UInt64>
    /// When the first entry was received, in microseconds since 1970; nil where there is none.
    let oldest: UInt64?

    private static let length = 208

    /// Whether a file has a name of the journal's: `system.journal`, `user-1000@….journal`, `….journal~` after a crash.
    static func mayBe(named name: ArraySlice<UInt8>) -> Bool {
        let stem = name.last == UInt8(ascii: "~") ? name.dropLast() : name
        return stem.suffix(suffix.count).elementsEqual(suffix)
    }

    private static let suffix = Array(".journal".utf8)

    /// Nil for a file that is no journal, and for one that libsystemd must not read: whoever may write to it could end this
    /// process by cutting it off.
    init?(of path: FilePath) throws(Errno) {
        let bytes = ByteBuffer(capacity: Self.length)
        let file = try InputFile(path)
        let owner = try file.state().owner
        guard owner == 0 || owner == geteuid() else { return nil }
        try file.read(at: 0, count: Self.length, into: bytes)
        guard ArchiveMagic.isJournal(bytes.bytes) else { return nil }
        self.init(Array(copying: bytes.bytes))
    }

    private init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.length else { return nil }
        func number(_ at: Int) -> UInt64 { (0..<8).reduce(0) { $0 | UInt64(bytes[at + $1]) << UInt64(8 * $1) } }
        fileID = Array(bytes[24..<40])
        sequence = bytes[72..<88].map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count < 2 ? "0\(digits)" : digits
        }.joined()
        let (first, last) = (number(168), number(160))
        let hasEntries = number(152) > 0 && first > 0 && first <= last && last < .max
        numbers = hasEntries ? first..<(last + 1) : 0..<0
        oldest = hasEntries ? number(184) : nil
    }
}
