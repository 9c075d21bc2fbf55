import Glibc
import Testing

@testable import Systemd

@Suite("Journal writer without a journald")
struct JournalWriterTests {
    private let entry = JournalEntry(message: "x", priority: .info, identifier: "test")

    @Test("a missing socket is said, not swallowed")
    func missing() throws {
        let folder = try TemporaryFolder()
        let writer = try JournalWriter(socket: folder.path + "/missing")
        #expect(writer.send(entry) == .unavailable(ENOENT))
    }

    @Test("a socket without a reader is reported")
    func abandoned() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/socket"
        do { _ = try DatagramReceiver(path) }
        #expect(try JournalWriter(socket: path).send(entry) == .unavailable(ECONNREFUSED))
    }

    @Test("a reader that never reads makes the writer give up, and never wait", .timeLimit(.minutes(30)))
    func full() throws {
        let folder = try TemporaryFolder()
        let receiver = try DatagramReceiver(folder.path + "/socket")
        let writer = try JournalWriter(socket: folder.path + "/socket")
        var sent = 0
        while writer.send(entry) == .sent { sent += 1 }
        #expect(writer.send(entry) == .wouldBlock)
        #expect(sent > 0)
        // Once there is space, the same writer continues.
        #expect(receiver.next().hasPrefix("MESSAGE=x\n"))
        #expect(writer.send(entry) == .sent)
    }

    @Test("a socket path that cannot be is an error at once")
    func pathTooLong() {
        #expect(throws: SystemdError.self) {
            try JournalWriter(socket: "/" + String(repeating: "a", count: 107))
        }
    }

    @Test("an entry without fields is refused, because journald would drop it")
    func empty() throws {
        #expect(try JournalWriter().send(JournalEntry()) == .refused(EINVAL))
    }

    @Test("answers are sorted by what to do next")
    func results() {
        #expect(JournalWriter.result(of: 0) == .sent)
        #expect(JournalWriter.result(of: EAGAIN) == .wouldBlock)
        #expect(JournalWriter.result(of: ENOMEM) == .unavailable(ENOMEM))
        #expect(JournalWriter.result(of: EMFILE) == .unavailable(EMFILE))
        #expect(JournalWriter.result(of: EMSGSIZE) == .refused(EMSGSIZE))
    }
}
