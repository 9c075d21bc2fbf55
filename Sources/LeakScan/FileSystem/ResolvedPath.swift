import Glibc
import SystemPackage

/// Where a path leads, as the kernel resolves it: symlinks first, `..` from where they lead.
enum ResolvedPath {
    /// Nil where there is nothing, or the way to it cannot be gone.
    static func of(_ path: FilePath) -> FilePath? {
        let resolved = unsafe path.withPlatformString { name in unsafe realpath(name, nil) }
        guard let resolved = unsafe resolved else { return nil }
        defer { unsafe free(resolved) }
        return unsafe FilePath(platformString: resolved)
    }
}
