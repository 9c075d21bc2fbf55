import CLinux
internal import CSystemd
internal import Glibc

/// Whether this process may read what journald stores for system services.
package enum JournalAccess: Hashable, Sendable {
    /// The journal of the system can be opened.
    case readable
    /// The journal is there and may not be read, or not wholly; the path is the file that refused.
    case denied(path: String)
    /// No journal file is there (yet).
    case absent
}

extension JournalAccess {
    /// Tries the active system journal below each directory, itself or in the folder of this machine's id.
    ///
    /// - Parameters:
    ///   - suffix: what follows the machine's id in the name of the folder: a dot and the name of a namespace.
    ///   - anyNamespace: tries the folders of all namespaces, too.
    static func check(directories: [String], suffix: String = "", anyNamespace: Bool = false) -> JournalAccess {
        var refused: String?
        var isReadable = false
        for directory in directories {
            var folders = [directory]
            if let machine = machineFolder(of: directory) {
                folders.append(machine + suffix)
                if anyNamespace {
                    folders += Directory.names(in: directory).map { "\(directory)/\($0)" }
                        .filter { $0.hasPrefix(machine + ".") }
                }
            }
            for folder in folders {
                let path = folder + "/system.journal"
                let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
                if descriptor >= 0 {
                    close(descriptor)
                    isReadable = true
                } else if errno == EACCES || errno == EPERM {
                    refused = refused ?? path
                }
            }
        }
        return refused.map { .denied(path: $0) } ?? (isReadable ? .readable : .absent)
    }

    private static func machineFolder(of directory: String) -> String? {
        var id = sd_id128_t()
        guard unsafe sd_id128_get_machine(&id) >= 0 else { return nil }
        let digits = unsafe withUnsafeBytes(of: &id) { bytes in
            unsafe bytes.map { byte in
                let text = String(byte, radix: 16)
                return text.utf8.count == 1 ? "0" + text : text
            }
        }
        return directory + "/" + digits.joined()
    }
}
