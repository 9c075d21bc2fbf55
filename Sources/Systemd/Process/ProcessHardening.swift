import CLinux
internal import Glibc

/// Keeps the process's memory from being written to disk or read by others.
package enum ProcessHardening {
    /// Forbids core dumps (RLIMIT_CORE 0) and makes the process not dumpable: its memory and `/proc/PID/mem`
    /// belong to root, and nobody else may attach a debugger (PR_SET_DUMPABLE, prctl(2)). Early in `main`.
    package static func apply() throws(SystemdError) {
        guard keyvigil_forbid_core_dumps() == 0 else { throw .cannot("forbid core dumps", errno) }
        guard keyvigil_set_dumpable(0) == 0 else {
            throw .cannot("forbid reading of this process's memory", errno)
        }
    }
}
