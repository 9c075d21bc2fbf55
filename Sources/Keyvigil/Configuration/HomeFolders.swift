internal import Keys
internal import Systemd

/// The home folders of all users: passwd(5), and those that a folder for users has.
enum HomeFolders {
    /// Patterns, as of when the program started.
    static let patterns: [String] = {
        let usual = ["/root", "/home/*"]
        guard let bytes = try? SmallFile.bytes(of: "/etc/passwd") else { return usual }
        return patterns(passwd: bytes, besides: usual)
    }()

    private static func patterns(passwd bytes: [UInt8], besides usual: [String]) -> [String] {
        var homes = usual
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard fields.count == 7 else { continue }
            var home = String(decoding: fields[5], as: UTF8.self)
            while home.utf8.count > 1, home.hasSuffix("/") { home.removeLast() }
            // Of users without one it is the root, or a folder that does not exist.
            guard home.hasPrefix("/"), home.utf8.count > 1 else { continue }
            let parts = home.split(separator: "/")
            if parts.count == 2, parts[0] == "home" { continue }
            let pattern = home.map { "*?[".contains($0) ? "[\($0)]" : String($0) }.joined()
            if !homes.contains(where: { $0.isExactly(pattern) }) { homes.append(pattern) }
        }
        return homes
    }
}
