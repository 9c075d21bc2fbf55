internal import Glibc
internal import Keys
internal import Synchronization
internal import SystemPackage
internal import Systemd

/// Shows what is longer than the terminal, as git does: the output goes through `KEYVIGIL_PAGER`, else `PAGER`, else less(1), which
/// ends by itself where all fits on the screen.
enum Pager {
    private static let running = Mutex<Int32?>(nil)

    /// Starts a pager between this process and the terminal; nothing where a person reads no standard output, or wants none.
    static func start(environment: [String: String] = ProcessEnvironment.current) {
        let command = environment["KEYVIGIL_PAGER"] ?? environment["PAGER"] ?? "less"
        guard OutputSettings.current.isTerminal, !command.isEmpty, command != "cat", environment["TERM"] != "dumb"
        else { return }
        var variables = environment
        variables["LESS"] = environment["LESS"] ?? "FRX"
        // Whoever may run only this program as another user starts no others from the pager (less(1), SECURITY).
        if environment["SUDO_UID"] != nil { variables["LESSSECURE"] = "1" }
        guard let (read, write) = try? FileDescriptor.pipe() else { return }
        // Without a pager the output goes to the terminal as it is.
        let script = "\(command) || cat"
        let pager = try? ChildProcess.start("/bin/sh", ["-c", script], environment: variables, input: read)
        try? read.close()
        if pager != nil { _ = try? write.duplicate(as: .standardOutput) }
        try? write.close()
        running.withLock { $0 = pager }
    }

    /// Ends the output, and waits until the person has read it.
    static func finish() {
        guard let pager = running.withLock({ $0.take() }) else { return }
        if let nowhere = try? FileDescriptor.open(FilePath("/dev/null"), .writeOnly) {
            _ = try? nowhere.duplicate(as: .standardOutput)
        }
        ChildProcess.wait(for: pager)
    }
}
