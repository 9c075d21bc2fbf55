import CLinux
internal import CSystemd
internal import Glibc

/// Whether this process may read the system journal.
package enum JournalAccess: Hashable, Sendable {
    /// The journal of the system can be opened.
    case readable
    /// A journal file exists that this process may not read; the path is that of the first one.
    case denied(path: String)
    /// There is no journal file (yet).
    case absent
}

extension JournalAccess {
    /// Tries to open the active system journal in each directory and in its subdirectory of this machine's id.
    ///
    /// - Parameters:
    ///   - suffix: what follows the machine id in the name of the subdirectory: a dot and the name of a namespace.
    ///   - anyNamespace: also tries the directories of all namespaces.
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
