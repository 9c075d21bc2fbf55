import Foundation
import Glibc
import Testing

@testable import Systemd

/// A real systemd-journald with its own `/run`, whose socket and files are in directories of the test.
///
/// A shell ends it when the test's end of a pipe closes, also when the test crashes.
final class PrivateJournald {
    static let program = "/lib/systemd/systemd-journald"
    static let isPossible =
        FileManager.default.isExecutableFile(atPath: program) && isRoot && mayMakeNamespaces

    /// Root in a container may not be allowed to.
    private static var mayMakeNamespaces: Bool {
        (try? Child("/usr/bin/unshare", ["--mount", "/bin/true"]).finish()) == 0
    }

    private static let machine = "0123456789abcdef0123456789abcdef"
    private static let script = """
        set -e
        mount -t tmpfs tmpfs /run
        mkdir -p /run/systemd/journald.conf.d /run/systemd/journal /run/log/journal
        mount --bind "$FOLDER/socket" /run/systemd/journal
        mount --bind "$FOLDER/files" /run/log/journal
        printf '[Journal]\\nStorage=volatile\\nReadKMsg=no\\nAudit=no\\nRateLimitBurst=0\\nSyncIntervalSec=1s\\n' \
            > /run/systemd/journald.conf.d/test.conf
        printf '%s\\n' "$MACHINE" > /run/machine-id
        mount --bind /run/machine-id /etc/machine-id
        \(program) < /dev/null > /dev/null 2>&1 &
        journald=$!
        echo "$journald"
        read -r _ || true
        kill -KILL "$journald"
        wait "$journald" || true
        """

    private let folder: TemporaryFolder
    private let supervisor: Child
    let id: Int32

    init() throws {
        folder = try TemporaryFolder()
        unsafe chmod(folder.path, 0o755)
        for name in ["socket", "files"] { unsafe mkdir(folder.path + "/" + name, 0o755) }
        let ready = try DatagramReceiver(folder.path + "/notify")
        supervisor = try Child(
            "/usr/bin/unshare",
            ["--mount", "--propagation", "private", "/bin/sh", "-c", Self.script],
            environment: [
                "NOTIFY_SOCKET": folder.path + "/notify", "MACHINE": Self.machine, "FOLDER": folder.path,
            ])
        id = try #require(supervisor.line().flatMap { Int32($0) }, "systemd-journald did not start")
        while !ready.next().contains("READY=1") {}
    }

    deinit {
        kill(id, SIGCONT)
        supervisor.finish()
    }

    /// The path of its socket.
    var socket: String { folder.path + "/socket/socket" }

    /// The directory of its files.
    var directory: String { folder.path + "/files/" + Self.machine }

    func pause() { kill(id, SIGSTOP) }
    func resume() { kill(id, SIGCONT) }

    /// Waits for an event until an entry is stored; the time limit of the test bounds the wait.
    func stored(_ matches: [JournalMatch], in reader: inout JournalReader) throws -> JournalRecord {
        while true {
            if let record = try reader.find(matches) { return record }
            _ = try reader.wait(milliseconds: 1000)
        }
    }
}
