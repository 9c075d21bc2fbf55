internal import Glibc
internal import Keys

/// How long the machine has been running, by a clock that cannot be set (CLOCK_BOOTTIME, clock_gettime(2)).
enum MachineRunningTime {
    /// Nil where the boot id of the machine cannot be read.
    static var current: RunningTime? {
        boot.map { boot in
            var time = timespec()
            unsafe clock_gettime(CLOCK_BOOTTIME, &time)
            return RunningTime(boot: boot, milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
        }
    }

    /// The boot id (random(4)), as the service writes it: without dashes.
    private static let boot: String? = {
        let file = unsafe open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = unsafe read(file, &bytes, bytes.count)
        let digits = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).lowercased().filter(\.isHexDigit)
        return digits.count == 32 ? digits : nil
    }()
}
