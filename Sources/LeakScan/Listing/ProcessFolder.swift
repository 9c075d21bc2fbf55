internal import CLinux
import SystemPackage

/// The folder in which the kernel shows the processes (proc(5)).
enum ProcessFolder {
    /// The files of a process that are searched.
    static let files = ["cmdline", "environ"]

    /// Whether a folder is where that file system is mounted.
    static func isRoot(_ path: FilePath) -> Bool {
        let isThere = unsafe path.withPlatformString { unsafe keyvigil_shows_processes($0) != 0 }
        return isThere && (try? InputFile.state(of: path.appending("self"))) != nil
    }
}
