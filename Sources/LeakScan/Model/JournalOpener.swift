package import SystemPackage

/// Opens files of systemd's journal, so that their entries are searched instead of their bytes, of which a part is compressed.
package protocol JournalOpener: Sendable {
    /// Opens one file; others beside it play no part.
    ///
    /// - Throws: ``UnreadableJournal``.
    func open(_ file: FilePath) throws -> any JournalEntries

    /// Whether the entries of a unit are left out.
    func omits(unit: String) -> Bool
}

/// The entries of one file of a journal, in the order of their sequence numbers.
package protocol JournalEntries: AnyObject {
    /// Goes to the first entry whose number is this one or a higher one, so that ``next()`` returns it.
    ///
    /// - Parameter sequence: the id of the numbers in hexadecimal, from the header of the file.
    func seek(to number: UInt64, in sequence: String) throws

    /// Goes to the next entry.
    ///
    /// - Returns: its number; nil at the end.
    func next() throws -> UInt64?

    /// Passes each field of the entry as `NAME=value`.
    func forEachField(_ body: (Span<UInt8>) -> Void) throws
}

/// Why a file of a journal cannot be read.
package struct UnreadableJournal: Error {
    /// A part of a sentence: "it cannot be read: …".
    package let reason: String

    package init(reason: String) { self.reason = reason }
}
