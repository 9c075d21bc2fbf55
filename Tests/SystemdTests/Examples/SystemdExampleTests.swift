import Systemd
import Testing

/// The example in the README of the module.
@Suite struct SystemdExampleTests {
    @Test func anEntryIsSentAndFoundAgain() throws {
        var entry = JournalEntry(message: "the store is full", priority: .warning, identifier: "example")
        entry.append("EXAMPLE_ID", "4711")
        #expect(String(decoding: entry.encoded(), as: UTF8.self).contains("EXAMPLE_ID=4711\n"))

        // Without a journald an entry is not lost silently.
        let writer = try JournalWriter(socket: "/nonexistent/socket")
        guard case .unavailable = writer.send(entry) else {
            Issue.record("an entry was sent to a socket that does not exist")
            return
        }
    }
}
