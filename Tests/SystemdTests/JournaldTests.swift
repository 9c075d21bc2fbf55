import Dispatch
import Foundation
import Glibc
import Testing

@testable import Systemd

/// Tests with a real systemd-journald.
@Suite(
    "Journal with a journald of its own", .serialized, .timeLimit(.minutes(30)),
    .enabled(if: PrivateJournald.isPossible, "needs root that may make namespaces, and systemd-journald"))
struct JournaldTests {
    private let journald: PrivateJournald
    private let writer: JournalWriter

    init() throws {
        journald = try PrivateJournald()
        writer = try JournalWriter(socket: journald.socket)
    }

    private func reader() throws -> JournalReader {
        try JournalReader(source: .directory(journald.directory))
    }

    private func entry(_ id: String, _ message: String = "hello") -> JournalEntry {
        var entry = JournalEntry(message: message, priority: .warning, identifier: "keyvigil-test")
        entry.append("KEYVIGIL_ALERT_ID", id)
        return entry
    }

    private func alert(_ id: String) -> [JournalMatch] { [JournalMatch("KEYVIGIL_ALERT_ID", id)] }

    @Test("what is written is found by a field, byte for byte")
    func roundTrip() throws {
        let bytes = Array(UInt8.min...UInt8.max) + [10, 10, 0]
        var sent = entry("a1", "two\nlines")
        sent.append("KEYVIGIL_PATH", bytes: bytes)
        sent.append("KEYVIGIL_PATH", "second")
        #expect(writer.send(sent) == .sent)
        var reader = try reader()
        let record = try journald.stored(alert("a1"), in: &reader)
        #expect(record["MESSAGE"] == "two\nlines")
        #expect(record["PRIORITY"] == "4")
        #expect(record["_PID"] == String(getpid()))
        // The journal does not preserve the order of fields with the same name.
        #expect(Set(record.all("KEYVIGIL_PATH")) == [bytes, Array("second".utf8)])
        #expect(record.cursor.hasPrefix("s="))
        #expect(record["NO_SUCH_FIELD"] == nil)
        #expect(try reader.find(alert("a2")) == nil)
    }

    @Test("a megabyte goes through a sealed memfd")
    func large() throws {
        let text = String(repeating: "0123456789abcde\n", count: 1 << 16)
        #expect(writer.send(entry("large", text)) == .sent)
        var reader = try reader()
        #expect(try journald.stored(alert("large"), in: &reader)["MESSAGE"] == text)
    }

    @Test("a stopped journald fills up, and then gets exactly what was sent")
    func stopped() throws {
        journald.pause()
        var sent = 0
        while writer.send(entry("s\(sent)")) == .sent { sent += 1 }
        #expect(writer.send(entry("refused")) == .wouldBlock)
        journald.resume()
        var reader = try reader()
        _ = try journald.stored(alert("s\(sent - 1)"), in: &reader)
        let ids = (0..<sent).map { "s\($0)" }
        #expect(
            try reader.present(field: "KEYVIGIL_ALERT_ID", values: ids + ["refused", "s\(sent)"]) == Set(ids))
        #expect(try reader.count([JournalMatch("SYSLOG_IDENTIFIER", "keyvigil-test")]) == sent)
        #expect(writer.send(entry("after")) == .sent)
        #expect(try journald.stored(alert("after"), in: &reader)["MESSAGE"] == "hello")
    }

    @Test(
        "a mark is no entry; once it is taken, what was sent before it is stored, and not while journald is stopped")
    func marks() throws {
        #expect(writer.isDrained)
        journald.pause()
        #expect(writer.send(entry("before")) == .sent && !writer.isDrained)
        #expect(writer.mark() == .sent && !writer.isDrained)
        journald.resume()
        // The kernel reports no event when a datagram is received (unix(7)), so the state is polled.
        var waits = 0
        while !writer.isDrained {
            usleep(1000)
            waits += 1
            try #require(waits < 60_000)
        }
        // A reader that is opened now finds it at once.
        var reader = try reader()
        #expect(try reader.present(field: "KEYVIGIL_ALERT_ID", values: ["before"]) == ["before"])
        let newest = try #require(try reader.newestRealtime())
        #expect(try reader.count([]) == reader.count([JournalMatch("_TRANSPORT", "journal")]) + driverEntries(&reader))
        #expect(writer.send(entry("after")) == .sent)
        _ = try journald.stored(alert("after"), in: &reader)
        #expect(try #require(try reader.newestRealtime()) > newest)
        // journald has not logged an error about the mark.
        #expect(
            try reader.count([JournalMatch("SYSLOG_IDENTIFIER", "systemd-journald"), JournalMatch("PRIORITY", "4")])
                == 0)
    }

    /// The message that journald logs at its start.
    private func driverEntries(_ reader: inout JournalReader) throws -> Int {
        try reader.count([JournalMatch("_TRANSPORT", "driver")])
    }

    @Test("a match on the sender distinguishes a forged entry from our own")
    func trusted() throws {
        #expect(writer.send(entry("mine")) == .sent)
        var reader = try reader()
        _ = try journald.stored(alert("mine"), in: &reader)
        let id = ["mine"]
        #expect(
            try reader.present(
                field: "KEYVIGIL_ALERT_ID", values: id, also: [JournalMatch("_PID", String(getpid()))]) == [
                    "mine"
                ])
        #expect(
            try reader.present(field: "KEYVIGIL_ALERT_ID", values: id, also: [JournalMatch("_PID", "1")])
                .isEmpty)
        #expect(throws: SystemdError.self) { try reader.find([JournalMatch("lower", "x")]) }
    }

    @Test("the change source calls when the journal grows")
    func changes() async throws {
        let queue = DispatchQueue(label: "test.journal")
        let confined = Confined(try reader())
        var source: JournalChangeSource?
        let record: String? = await withCheckedContinuation { continuation in
            let once = Once(continuation)
            source = try? confined.changes(queue: queue) { reader in
                // As in the daemon: each call processes changes, which clears the descriptor.
                guard let record = try? reader.find([JournalMatch("KEYVIGIL_ALERT_ID", "late")]) else {
                    return
                }
                once.resume(record["MESSAGE"])
            }
            #expect(writer.send(entry("late", "came later")) == .sent)
        }
        source?.cancel()
        #expect(record == "came later")
    }

    @Test("reading goes on behind the end, from a cursor, and from an instant")
    func follow() throws {
        var reader = try reader()
        for id in ["f1", "f2", "f3"] { #expect(writer.send(entry(id)) == .sent) }
        let last = try journald.stored(alert("f3"), in: &reader)
        let ours = [JournalMatch("SYSLOG_IDENTIFIER", "keyvigil-test")]
        func ids(_ reader: inout JournalReader) throws -> [String] {
            var ids: [String] = []
            while let record = try reader.next() { ids.append(record["KEYVIGIL_ALERT_ID"] ?? "?") }
            return ids
        }
        try reader.select(ours)
        try reader.seek(.head)
        let first = try #require(try reader.next())
        #expect(first["KEYVIGIL_ALERT_ID"] == "f1")
        #expect(try ids(&reader) == ["f2", "f3"])

        try reader.seek(.after(cursor: first.cursor))
        #expect(try ids(&reader) == ["f2", "f3"])
        try reader.seek(.since(0))
        #expect(try ids(&reader) == ["f1", "f2", "f3"])
        try reader.seek(.since(Int64(last.realtime / 1000) + 1))
        #expect(try ids(&reader) == [])
        try reader.seek(.since(.max))
        #expect(try ids(&reader) == [])

        try reader.seek(.tail)
        #expect(try reader.next() == nil)
        #expect(writer.send(entry("f4")) == .sent)
        var followed: JournalRecord?
        while followed == nil {
            _ = try reader.wait(milliseconds: 1000)
            followed = try reader.next()
        }
        #expect(followed?["KEYVIGIL_ALERT_ID"] == "f4")
        #expect(try reader.previous()?["KEYVIGIL_ALERT_ID"] == "f3")

        // Matches of one field are alternatives; those of different fields must all hold.
        try reader.select(alert("f1") + alert("f4") + ours)
        try reader.seek(.head)
        #expect(try ids(&reader) == ["f1", "f4"])
    }

    @Test("following begins also where nothing matches yet")
    func followFromNothing() throws {
        #expect(writer.send(entry("noise")) == .sent)
        var reader = try reader()
        _ = try journald.stored(alert("noise"), in: &reader)
        try reader.select(alert("first"))
        try reader.seek(.tail)
        #expect(try reader.next() == nil)
        #expect(writer.send(entry("first")) == .sent)
        var followed: JournalRecord?
        while followed == nil {
            _ = try reader.wait(milliseconds: 1000)
            followed = try reader.next()
        }
        #expect(followed?["KEYVIGIL_ALERT_ID"] == "first")
    }

    @Test("entries are found across a rotation of the files")
    func rotation() throws {
        #expect(writer.send(entry("old")) == .sent)
        var reader = try reader()
        _ = try journald.stored(alert("old"), in: &reader)
        // SIGUSR2 requests a rotation from journald.
        kill(journald.id, SIGUSR2)
        while try archived().isEmpty { _ = try reader.wait(milliseconds: 1000) }
        #expect(writer.send(entry("new")) == .sent)
        _ = try journald.stored(alert("new"), in: &reader)
        #expect(try reader.present(field: "KEYVIGIL_ALERT_ID", values: ["old", "new"]) == ["old", "new"])
    }

    private func archived() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: journald.directory).filter { $0.contains("@") }
    }

    @Test("a process that may not read the journal learns so")
    func access() throws {
        #expect(writer.send(entry("any")) == .sent)
        var reader = try reader()
        _ = try journald.stored(alert("any"), in: &reader)
        #expect(reader.access == .readable)
        // On a machine all users may enter the directory, but only root and systemd-journal may read the files.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: journald.directory)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o600], ofItemAtPath: journald.directory + "/system.journal")
        let stranger = try Child(
            "/usr/bin/setpriv",
            [
                "--reuid=65534", "--regid=65534", "--clear-groups", Build.probe, "access",
                journald.directory,
            ])
        let answer = stranger.line()
        stranger.finish()
        #expect(answer?.contains("denied") == true)
        let folder = try TemporaryFolder()
        #expect(try JournalReader(source: .directory(folder.path)).access == .absent)
    }
}
