import CLinux
internal import Glibc

/// How long the machine has been running, including suspend: a clock that cannot be set (CLOCK_BOOTTIME,
/// clock_gettime(2)).
package enum BootClock {
    /// The time since boot, in milliseconds.
    package static var milliseconds: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// The environment variable in which the unit passes the boot id: its sandbox hides the kernel's file.
    package static let variable = "KEYVIGIL_BOOT_ID"

    /// Names the machine's start (random(4)); nil where it is not known.
    package static func bootID(environment: [String: String] = ProcessEnvironment.current) -> String? {
        let text = environment[variable] ?? SmallFile.firstLine(of: "/proc/sys/kernel/random/boot_id")
        // systemd writes it without dashes, the kernel with them.
        let digits = text?.lowercased().filter(\.isHexDigit) ?? ""
        return digits.count == 32 ? digits : nil
    }
}
