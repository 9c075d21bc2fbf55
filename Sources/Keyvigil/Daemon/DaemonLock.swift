internal import Errors
internal import KeyStore
internal import Keys
internal import SystemPackage
internal import Systemd

/// The right to be the daemon of a store: two of them would tell everything twice.
///
/// The tool takes no part in it.
final class DaemonLock: Sendable {
    private let lock: FileLock

    /// Another daemon has the lock.
    struct Taken: ExplainedError {
        let message: String
        let hint: String? = "see it: systemctl status keyvigil; to run this one instead: \(ServiceUser.stopping)"

        init(_ store: String) { message = "another keyvigild is using the store \(store), and goes on" }
    }

    /// Takes the lock.
    ///
    /// - Throws: ``Taken`` where another daemon has it; ``InputError`` where its file cannot be made.
    init(store path: String) throws {
        let file = path + ".daemon-lock"
        do {
            guard let lock = try FileLock(file) else { throw Taken(path) }
            self.lock = lock
        } catch let error as Errno {
            let directory = FilePath(path).removingLastComponent().string
            throw InputError(
                "the lock \(file) cannot be taken: \(error.description.lowercased())",
                hint: "the daemon's user must be able to write there: "
                    + "install -d -m 0700 -o keyvigil -g keyvigil \(argument: directory)")
        }
    }

    /// Whether a daemon has the lock of a store. Asks the kernel (proc_locks(5)) without touching the lock, so that a
    /// daemon which starts at this moment is not refused.
    static func isHeld(store path: String) -> Bool {
        guard let inode = FileStatus(of: path + ".daemon-lock")?.inode,
            let bytes = try? SmallFile.bytes(of: "/proc/locks")
        else { return false }
        let locks = String(decoding: bytes, as: UTF8.self)
        return locks.split(separator: "\n").contains { line in
            let words = line.split(separator: " ")
            return words.contains("FLOCK") && words.contains { $0.hasSuffix(":\(inode)") }
        }
    }
}
