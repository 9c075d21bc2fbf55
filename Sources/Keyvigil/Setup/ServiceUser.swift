internal import CLinux
internal import Glibc
internal import Systemd

/// The user that the unit runs as. Root can look at files as that user does, to find out what the service may read.
///
/// Unsafe code: the C library's records of users and groups are copied out of buffers of our own.
struct ServiceUser: Sendable {
    static let name = "keyvigil"
    static let unit = "keyvigil.service"

    /// The command that stops the service for good: a client that connects to a socket would start it again.
    static let stopping = "systemctl stop 'keyvigil*'"

    let id: UInt32
    private let group: UInt32
    private let groups: [UInt32]
    /// Whether a drop-in lets the service read the files of all users (`AmbientCapabilities=CAP_DAC_READ_SEARCH`).
    private let readsEverything: Bool

    /// Nil where this process is not root, or there is no such user: then files are looked at as this process.
    init?() {
        guard geteuid() == 0 else { return nil }
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        let status = unsafe buffer.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return ERANGE }
            return unsafe getpwnam_r(Self.name, &entry, start, buffer.count, &found)
        }
        guard status == 0, unsafe found != nil else { return nil }
        id = unsafe entry.pw_uid
        group = unsafe entry.pw_gid
        readsEverything = Self.unitSetting("AmbientCapabilities").contains("cap_dac_read_search")
        groups =
            Self.memberships(group)
            + Self.unitSetting("SupplementaryGroups").split(separator: " ").compactMap(Self.groupID)
    }

    /// Runs `body` while this thread uses files as the service does.
    func act<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        if readsEverything { return try body() }
        var before = unsafe keyvigil_files_user()
        guard unsafe keyvigil_use_files_as(id, group, &before) == 0 else { return try body() }
        defer {
            // Going on as someone else would be worse than an end.
            guard unsafe keyvigil_use_files_as_before(&before) == 0 else {
                fatalError("setfsuid: the user before is refused")
            }
        }
        _ = unsafe groups.withUnsafeBufferPointer { unsafe keyvigil_add_groups(Int32($0.count), $0.baseAddress) }
        return try body()
    }

    /// The groups that the user is a member of (getgrouplist(3)).
    private static func memberships(_ group: UInt32) -> [UInt32] {
        var count: Int32 = 256
        var groups = [UInt32](repeating: 0, count: Int(count))
        let found = unsafe groups.withUnsafeMutableBufferPointer { buffer -> Int32 in
            guard let start = buffer.baseAddress else { return 0 }
            return unsafe getgrouplist(name, group, start, &count)
        }
        return Array(groups.prefix(Int(max(0, found))))
    }

    /// Whether this machine has a group.
    static func hasGroup(_ name: String) -> Bool { groupID(name[...]) != nil }

    private static func groupID(_ name: Substring) -> UInt32? {
        if let id = UInt32(name) { return id }
        guard let entry = unsafe getgrnam(String(name)) else { return nil }
        return unsafe entry.pointee.gr_gid
    }

    /// A setting of the unit, with its drop-ins; empty where systemd does not say.
    static func unitSetting(_ name: String) -> String { systemctl("show", "-P", name, unit)?.output.trimmed ?? "" }

    /// Whether the unit gets a credential, as its files say: systemd 252 shows no names of credentials.
    static func hasCredential(_ name: String) -> Bool {
        var given: [Substring: Bool] = [:]
        for line in systemctl("cat", unit)?.output.split(separator: "\n") ?? [] {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, credentialSettings.contains(parts[0]) else { continue }
            // An empty value takes back those before it.
            let isOfName = parts[1] == name || parts[1].hasPrefix("\(name):")
            given[parts[0]] = !parts[1].isEmpty && (isOfName || given[parts[0]] ?? false)
        }
        return given.values.contains(true)
    }

    private static let credentialSettings: Set<Substring> = [
        "LoadCredential", "LoadCredentialEncrypted", "SetCredential", "SetCredentialEncrypted",
    ]

    /// Asks systemd; nil where it does not run.
    ///
    /// - Parameter seconds: the time after which it is ended.
    static func systemctl(_ arguments: String..., within seconds: Int = 30) -> ChildProcess.Result? {
        systemctl(arguments, within: seconds)
    }

    static func systemctl(_ arguments: [String], within seconds: Int = 30) -> ChildProcess.Result? {
        guard unsafe access("/run/systemd/system", F_OK) == 0 else { return nil }
        let none: [UInt8] = []
        return try? ChildProcess.run(
            "/usr/bin/systemctl", arguments, environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"], input: none.span,
            milliseconds: seconds * 1000)
    }
}

extension String {
    fileprivate var trimmed: String { String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()) }
}
