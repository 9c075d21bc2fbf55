internal import Fleet
internal import Keys
internal import PostgreSQL

extension Configuration.FleetSettings {
    /// Takes over the settings of `[fleet]`.
    ///
    /// - Parameter readsAddress: whether libpq is loaded to read the address of the database.
    mutating func apply(_ table: SettingsTable, readsAddress: Bool) throws(InputError) {
        database = try table.string("database", check: readsAddress ? Self.readAddress : Self.address) ?? database
        host = try table.string("host", check: Self.hostName) ?? host
        maxStaleness = try table.string("max_staleness", check: Self.staleness) ?? maxStaleness
        alertHosts = try table.strings("alert_hosts", check: Self.hostName) ?? alertHosts
    }

    /// What the settings cost that is not obvious; nil: nothing.
    var warning: InputError? {
        guard database != nil, maxStaleness < .seconds(60) else { return nil }
        if maxStaleness == .zero {
            return InputError(
                "'fleet.max_staleness' is 0: each verification asks the database, and fails while that cannot be reached",
                hint: "give the time for which a revoked key may still be accepted, such as \"15m\"")
        }
        return InputError(
            "'fleet.max_staleness' is \(maxStaleness): the service wakes up more often than once in 20 seconds",
            hint: "from \"1m\" on it costs no wake-up of its own")
    }

    /// Refuses an address with a password. The errors quote nothing, since what is wrong may be next to a password.
    static func address(_ text: String) throws(InputError) -> String {
        let hint = "write postgresql://USER@HOST/DATABASE, or postgresql:///DATABASE for a server on this machine"
        guard !text.utf8.contains(0), isURL(text) || text.contains("=") else {
            throw InputError("it is neither a URL of PostgreSQL nor a list of the words of libpq", hint: hint)
        }
        guard !hasPassword(text) else {
            throw InputError(
                "it holds a password",
                hint:
                    "change that password, since it was in a file; then give it as the systemd credential fleet-password, or "
                    + "in a file that passfile= names")
        }
        return text
    }

    /// Refuses an address that the service would refuse. Where libpq is missing, the first use of the database says so.
    private static func readAddress(_ text: String) throws(InputError) -> String {
        let text = try address(text)
        do throws(PostgreSQLError) { _ = try Address(text) } catch {
            guard case .invalidAddress(let reason) = error else { return text }
            throw InputError(reason, hint: DatabaseError(error).hint)
        }
        return text
    }

    private static func isURL(_ text: String) -> Bool {
        text.hasPrefix("postgresql://") || text.hasPrefix("postgres://")
    }

    /// Whether there is a password in an address.
    static func hasPassword(_ text: String) -> Bool { isURL(text) ? hasPassword(url: text) : hasPassword(words: text) }

    /// The names of parameters of libpq that are passwords: of the login, and of the key of its certificate.
    private static let passwords = ["password", "sslpassword"]

    /// `postgresql://USER:PASSWORD@HOST/…?password=…`, as libpq reads it (conninfo_uri_parse_options, fe-connect.c).
    private static func hasPassword(url: String) -> Bool {
        let rest = url.drop { $0 != ":" }.dropFirst(3)
        // The user's name and password end before the @. One that has a slash in it, which should be escaped, is a password, too.
        let start = rest.prefix { $0 != "@" && $0 != "/" }
        let path = rest.prefix { $0 != "?" }
        if start.contains(":"), path[start.endIndex...].contains("@") { return true }
        let parameters = rest[path.endIndex...].dropFirst().split(separator: "&")
        return parameters.contains { passwords.contains(decoded($0.prefix { $0 != "=" })) }
    }

    /// `password=…` among the words, whatever blanks are around the sign, and even within the value of another one.
    private static func hasPassword(words: String) -> Bool {
        passwords.contains { name in
            words.ranges(of: name).contains { range in
                let before = words[..<range.lowerBound].last
                let isStart = !(before?.isLetter ?? false) && before != "_"
                return isStart && words[range.upperBound...].drop(while: \.isWhitespace).hasPrefix("=")
            }
        }
    }

    /// A text of a URL with its `%` signs read.
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The name of a host in the fleet. In the tables a place of a host is its name, a colon and the path.
    static func hostName(_ text: String) throws(InputError) -> String {
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "."): true
            default: false
            }
        }
        let start = text.utf8.first ?? 0
        guard isName, (1...253).contains(text.utf8.count), start != UInt8(ascii: "-"), start != UInt8(ascii: ".") else {
            throw InputError(
                "\(DisplayText.quoted(text, limit: 100)) is not the name of a host",
                hint: "use letters, digits, hyphens and dots, such as web1 or web1.example.org")
        }
        return text
    }

    private static func staleness(_ text: String) throws(InputError) -> Period {
        let period = try Period(parsing: text)
        guard period <= .days(1) else {
            throw InputError(
                "\(period) is too long", hint: "give at most 24h: for that long a revoked key may still be accepted")
        }
        return period
    }
}
