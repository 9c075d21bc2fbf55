internal import Glibc
internal import Keys
internal import Synchronization
internal import SystemPackage

/// When the fleet's database last committed a sign of life of this host, by the running time of the machine, in a file that all processes of
/// the host read. For a while from then on this host's copy is believed.
///
/// What counts is when the request was sent: what was revoked before that, the host has heard of. An answer to a question proves
/// nothing, since a former primary still answers; only what it commits does.
final class Lease: Sendable {
    private let path: String
    private let bound: Period
    /// The last renewal that is known.
    private let known: Mutex<RunningTime?>

    /// - Parameter bound: how long a renewal holds.
    init(_ path: String, bound: Period) {
        self.path = path
        self.bound = bound
        known = Mutex(nil)
    }

    /// Whether the last renewal still holds.
    ///
    /// - Parameter running: nil where the running time is not known; then none does.
    func holds(at running: RunningTime?) -> Bool {
        guard let running else { return false }
        return known.withLock { known in
            if covers(known, running) { return true }
            known = read()
            return covers(known, running)
        }
    }

    /// How long ago the last renewal was sent; nil where that is not known.
    func age(at running: RunningTime) -> Period? {
        guard let renewal = read(), renewal.boot == running.boot, renewal.milliseconds <= running.milliseconds else {
            return nil
        }
        return Period(milliseconds: running.milliseconds - renewal.milliseconds)
    }

    private func covers(_ renewal: RunningTime?, _ running: RunningTime) -> Bool {
        guard let renewal, renewal.boot == running.boot, renewal.milliseconds <= running.milliseconds else {
            return false
        }
        return running.milliseconds - renewal.milliseconds < bound.milliseconds
    }

    /// Notes that the database has committed a request.
    ///
    /// - Parameter sent: when it was sent.
    func renew(_ sent: RunningTime) throws {
        known.withLock { known in
            if let before = known, before.boot == sent.boot, before.milliseconds > sent.milliseconds { return }
            known = sent
        }
        let digits = String(sent.milliseconds)
        let text = "\(sent.boot) \(String(repeating: "0", count: 20 - digits.count))\(digits)\n"
        try StoreFile.owner(of: path).act {
            // Always of the same length, in one call.
            let file = try FileDescriptor.open(
                FilePath(path), .writeOnly, options: [.create, .noFollow, .closeOnExec], permissions: .ownerReadWrite)
            try file.closeAfter { _ = try file.writeAll(text.utf8) }
        }
    }

    /// Ends it. A process that has read the file before goes by what it has read.
    func end() {
        known.withLock { $0 = nil }
        try? StoreFile.owner(of: path).act { PrivateFile.remove(path) }
    }

    private func read() -> RunningTime? {
        guard let file = try? PrivateFile.open(path, followingSymlinks: false) else { return nil }
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: 128)
        let read = try? unsafe bytes.withUnsafeMutableBytes { unsafe try file.read(into: $0) }
        guard let count = read else { return nil }
        let words = String(decoding: bytes.prefix(count), as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let milliseconds = Int64(words[1]) else { return nil }
        return RunningTime(boot: String(words[0]), milliseconds: milliseconds)
    }
}
