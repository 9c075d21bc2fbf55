internal import Keys
internal import LeakScan
internal import SystemPackage
internal import Systemd

/// Opens files of the journal for the scanner, through libsystemd: entries that are compressed too, and those that were rotated.
///
/// The entries of the daemon itself are left out: they name the prefixes of what was found.
struct JournalFiles: JournalOpener {
    func open(_ file: FilePath) throws -> any JournalEntries { try OpenJournalFile(file) }

    func omits(unit: String) -> Bool { unit == ServiceUser.unit }
}

private final class OpenJournalFile: JournalEntries {
    private var journal: JournalFile

    init(_ file: FilePath) throws {
        journal = try Self.reading { () throws(SystemdError) in try JournalFile(file.string) }
    }

    func seek(to number: UInt64, in sequence: String) throws {
        try Self.reading { () throws(SystemdError) in try journal.seek(to: number, in: sequence) }
    }

    func next() throws -> UInt64? {
        try Self.reading { () throws(SystemdError) in try journal.next() }
    }

    func forEachField(_ body: (Span<UInt8>) -> Void) throws {
        try Self.reading { () throws(SystemdError) in try journal.forEachField(body) }
    }

    private static func reading<Value: ~Copyable>(_ body: () throws(SystemdError) -> Value) throws -> Value {
        do throws(SystemdError) { return try body() } catch { throw UnreadableJournal(reason: "\(error)") }
    }
}
