import Foundation
import Testing

extension BootedSystem {
    /// Whether this machine has loop devices, mkfs.ext4, and lets us mount: tried, since a container may have only some.
    static let mayMakeDisks: Bool = {
        guard isPossible else { return false }
        let image = FileManager.default.temporaryDirectory.path + "/keyvigil-disk-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: image) }
        let attempt = try? Program.run(
            [
                "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-ec", makeDisk, "disk", image,
                "/mnt",
            ])
        return attempt?.status == 0
    }()

    /// Whether the kernel has file systems in user space, by which a test can make one that hangs.
    static let hasFuse =
        (try? String(contentsOfFile: "/proc/filesystems", encoding: .utf8))?.contains("\tfuse\n") == true

    /// Mounts a small file system of its own, on a loop device that the kernel frees with the last mount: at the latest
    /// when the last process of the booted system is gone.
    ///
    /// - Returns: the file that contains it, for fsck.
    func mountDisk(at path: String) throws -> String {
        let image = "/srv/disk-\(UUID().uuidString).img"
        try check("sh", "-ec", Self.loopNodes)
        try check("sh", "-ec", Self.makeDisk, "disk", image, path)
        return image
    }

    /// The devices are the machine's; the /dev of the booted system starts without them.
    private static let loopNodes = """
        [ -e /dev/loop-control ] || mknod -m 600 /dev/loop-control c 10 237
        for i in $(seq 0 31); do [ -e /dev/loop$i ] || mknod -m 600 /dev/loop$i b 7 $i; done
        """

    private static let makeDisk = """
        truncate -s 16M "$1"
        mkfs.ext4 -q -F "$1"
        mount -o loop,errors=remount-ro "$1" "$2"
        """
}
