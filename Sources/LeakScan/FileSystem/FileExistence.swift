package import SystemPackage

/// Whether something is there, and may be looked at.
package enum FileExistence {
    /// Whether there is anything at a path; symlinks are followed.
    ///
    /// - Throws: where that cannot be determined, such as behind a folder that may not be entered.
    package static func exists(_ path: String) throws(Errno) -> Bool {
        do {
            _ = try InputFile.state(of: FilePath(path), followingSymlinks: true)
            return true
        } catch {
            guard error == .noSuchFileOrDirectory || error == .notDirectory else { throw error }
            return false
        }
    }
}
