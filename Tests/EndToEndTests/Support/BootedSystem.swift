import Foundation
import Testing

/// A machine for tests: a real systemd in namespaces of its own, on an overlay over this machine's root.
///
/// Made by `boot.sh`, which ends everything when this process closes its pipe, also when it crashes.
final class BootedSystem: Sendable {
    /// The folder of the package, found from the path of this file.
    static let source = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// The folder with `keyvigild` and `keyvigil`: that of KEYVIGIL_BINARIES, else the one of this test's build.
    static var binaries: String {
        if let folder = ProcessInfo.processInfo.environment["KEYVIGIL_BINARIES"] { return folder }
        let arguments = CommandLine.arguments
        let bundle = arguments.firstIndex(of: "--test-bundle-path").map { arguments[$0 + 1] } ?? arguments[0]
        return URL(fileURLWithPath: bundle).resolvingSymlinksInPath().deletingLastPathComponent().path
    }

    /// Whether this machine lets us.
    static let isPossible =
        geteuid() == 0
        && ["/lib/systemd/systemd", "/usr/bin/nsenter", "/usr/bin/unshare"].allSatisfy {
            FileManager.default.isExecutableFile(atPath: $0)
        } && mayMakeNamespaces

    /// Root of a container may not.
    private static var mayMakeNamespaces: Bool {
        let attempt = try? Program.run(
            [
                "/usr/bin/unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--cgroup", "--net",
                "/bin/true",
            ])
        return attempt?.status == 0
    }

    /// How the source and the binaries are called inside.
    static let sourceInside = "/srv/keyvigil/source"
    static let binariesInside = "/srv/keyvigil/binaries"

    private let supervisor: Program
    /// systemd's process id, outside.
    private let root: Int32

    /// Boots, and waits until the start-up is finished.
    init() throws {
        let work = FileManager.default.temporaryDirectory.path + "/keyvigil-boot-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: false)
        let script = Self.source + "/Tests/EndToEndTests/Support/boot.sh"
        // The longest that one boot may serve tests.
        supervisor = try Program(["/bin/sh", script, work, Self.source, Self.binaries], seconds: 1800)
        let answer = supervisor.line()
        guard let answer, answer.hasPrefix("init "), let root = Int32(answer.dropFirst(5)) else {
            supervisor.finish()
            throw Program.TimedOut(description: "the system did not boot: \(answer ?? "see the lines above")")
        }
        self.root = root
        // Its socket is there a moment after process 1; systemctl says offline until then.
        let state = try run(["/bin/sh", "-c", Self.waitForManager])
        guard ["running", "degraded"].contains(state.output.trimmingCharacters(in: .whitespacesAndNewlines))
        else {
            stop()
            throw Program.TimedOut(description: "the system did not come up: \(state)")
        }
    }

    private static let waitForManager = """
        tries=0
        until [ -S /run/systemd/private ] || [ "$tries" -ge 600 ]; do tries=$((tries + 1)); sleep 0.05; done
        systemctl is-system-running --wait
        """

    /// Ends the system and removes all that it was made of.
    func stop() { supervisor.finish() }

    /// Runs a program inside to its end.
    @discardableResult
    func run(_ arguments: [String], input: String = "", seconds: Int = 60) throws -> Program.Result {
        try Program.run(enter + arguments, input: input, seconds: seconds)
    }

    /// Runs a program inside that has to succeed; returns its output.
    @discardableResult
    func check(
        _ arguments: String..., input: String = "", sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let result = try run(arguments, input: input)
        if result.status == 0 { return result.output }
        let journal = try run(["journalctl", "--no-pager", "-q", "-n", "20"]).output
        let command = arguments.joined(separator: " ")
        try #require(
            result.status == 0, "\(command): \(result.errors)\(result.output)\nthe journal:\n\(journal)",
            sourceLocation: sourceLocation)
        return result.output
    }

    /// Starts a program inside, to be followed.
    func start(_ arguments: [String], seconds: Int) throws -> Program {
        try Program(enter + arguments, seconds: seconds)
    }

    /// Writes a file inside.
    func write(_ text: String, to path: String, mode: String = "0644") throws {
        try check("/usr/bin/install", "-D", "-m", mode, "/dev/stdin", path, input: text)
    }

    private var enter: [String] {
        [
            "/usr/bin/nsenter", "-t", String(root), "-m", "-p", "-u", "-i", "-C", "-n", "-r", "-w", "--",
            "/usr/bin/env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/root", "LC_ALL=C.UTF-8", "TERM=dumb", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0",
        ]
    }
}
