import CLinux
internal import Glibc

/// Prevents the memory of the process from being written to disk or read by other processes.
package enum ProcessHardening {
    /// Disables core dumps (RLIMIT_CORE 0) and makes the process not dumpable: `/proc/PID` belongs to root, and no
    /// other user may attach a debugger (PR_SET_DUMPABLE, prctl(2)). Call it early in `main`.
    package static func apply() throws(SystemdError) {
        guard keyvigil_forbid_core_dumps() == 0 else { throw .cannot("forbid core dumps", errno) }
        guard keyvigil_set_dumpable(0) == 0 else {
            throw .cannot("forbid reading of this process's memory", errno)
        }
    }
}
