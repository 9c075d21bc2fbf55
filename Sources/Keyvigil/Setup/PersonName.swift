internal import Glibc
internal import Keys
internal import Systemd

/// Who runs this process, as people name them: who called sudo(8), else the name of the user (getpwuid(3)). The only unsafe
/// code of the folder beside the terminal's: the entry is read into a buffer of its own.
enum PersonName {
    /// The user id of the person behind a process of root: the one that logged in, which the kernel keeps (`loginuid`, proc(5)), else
    /// the one that called sudo(8). That of the process where neither is known.
    static func uid(ofProcess uid: UInt32, environment: [String: String]) -> UInt32 {
        guard uid == 0 else { return uid }
        // 4294967295: no user has logged in, as for services.
        let login = SmallFile.firstLine(of: "/proc/self/loginuid").flatMap { UInt32($0) }
        if let login, login != .max { return login }
        return environment["SUDO_UID"].flatMap { UInt32($0) } ?? 0
    }

    /// Nil where the user has no name.
    static func current(uid: UInt32, environment: [String: String]) -> String? {
        // Only root can set it for a process of root; the audit has the user id besides.
        if uid == 0, let name = environment["SUDO_USER"], let checked = try? NameRules.checked(name, what: "user") {
            return checked
        }
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        let status = unsafe buffer.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return ERANGE }
            return unsafe getpwuid_r(uid, &entry, start, buffer.count, &found)
        }
        guard status == 0, unsafe found != nil else { return nil }
        guard let name = unsafe entry.pw_name else { return nil }
        return try? NameRules.checked(unsafe String(cString: name), what: "user")
    }
}
