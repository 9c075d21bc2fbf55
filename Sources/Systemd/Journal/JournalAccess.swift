import CLinux
internal import CSystemd
internal import Glibc

/// Whether this process may read what journald stores for system services.
package enum JournalAccess: Hashable, Sendable {
    /// At least one journal of the system can be opened.
    case readable
    /// The journal is there and may not be read; the path is the file that refused.
    case denied(path: String)
    /// No journal file is there (yet).
    case absent
}

extension JournalAccess {
    /// Tries the active system journal below each directory, itself or in the folder of this machine's id.
    static func check(directories: [String], suffix: String = "") -> JournalAccess {
        var refused: String?
        for directory in directories {
            for folder in [directory, machineFolder(of: directory, suffix: suffix)].compactMap(\.self) {
                let path = folder + "/system.journal"
                let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
                if descriptor >= 0 {
                    close(descriptor)
                    return .readable
                }
                if errno == EACCES || errno == EPERM { refused = refused ?? path }
            }
        }
        return refused.map { .denied(path: $0) } ?? .absent
    }

    private static func machineFolder(of directory: String, suffix: String) -> String? {
        var id = sd_id128_t()
        guard unsafe sd_id128_get_machine(&id) >= 0 else { return nil }
        let digits = unsafe withUnsafeBytes(of: &id) { bytes in
            unsafe bytes.map { byte in
                let text = String(byte, radix: 16)
                return text.utf8.count == 1 ? "0" + text : text
            }
        }
        return directory + "/" + digits.joined() + suffix
    }
}
