internal import CPostgreSQLLoader

/// Where a database is: a URI or the words of libpq ("Connection Strings" in PostgreSQL's manual), which may name several servers.
///
/// A server that is not on a Unix socket must prove its name by a certificate (`sslmode=verify-full`, which is the default here). A
/// password is not a part of an address: libpq reads it from a file (`passfile=`).
///
/// Unsafe: the options that libpq returns end with one without a keyword, and are freed here.
@safe package struct Address: Sendable {
    /// The servers, in the order in which they are tried, each with the parameters that are its own.
    let servers: [[(name: String, value: String)]]
    private let others: [(name: String, value: String)]

    /// - Throws: ``PostgreSQLError/invalidAddress(_:)``
    package init(_ text: String) throws(PostgreSQLError) {
        var options = try Self.options(text)
        guard options.removeValue(forKey: "password") == nil else {
            throw .invalidAddress("it holds a password: name a file instead (passfile=)")
        }
        servers = try Self.servers(&options)
        others = options.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    }

    /// All parameters of a connection to one of the servers. Of those with the same name libpq takes the last.
    func parameters(of server: [(name: String, value: String)]) -> [(name: String, value: String)] {
        Self.defaults + others + server + Self.fixed
    }

    private static let defaults: [(name: String, value: String)] = [
        ("sslmode", "verify-full"), ("ssl_min_protocol_version", "TLSv1.3"), ("application_name", "keyvigil"),
    ]

    /// A server that does not answer is noticed after five seconds, by TCP where no call waits for it.
    private static let fixed: [(name: String, value: String)] = [
        ("client_encoding", "UTF8"), ("keepalives", "1"), ("keepalives_idle", "5"), ("keepalives_interval", "2"),
        ("keepalives_count", "3"), ("tcp_user_timeout", "5000"),
    ]

    private static func options(_ text: String) throws(PostgreSQLError) -> [String: String] {
        let pq = unsafe try Library.load().functions.pointee
        // What libpq says of a faulty one can repeat parts of it, a password among them.
        guard let parsed = unsafe pq.conninfoParse(text, nil) else {
            throw .invalidAddress("it is neither a URI nor a list of the parameters of libpq")
        }
        defer { unsafe pq.conninfoFree(parsed) }
        var options: [String: String] = [:]
        var option = unsafe parsed
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                options[unsafe String(cString: keyword)] = unsafe String(cString: value)
            }
            unsafe option += 1
        }
        return options
    }

    private static func servers(
        _ options: inout [String: String]
    ) throws(PostgreSQLError) -> [[(name: String, value: String)]] {
        func list(_ name: String) -> [String] {
            options.removeValue(forKey: name)?.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
                ?? []
        }
        let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"))
        let count = max(hosts.count, addresses.count, 1)
        guard [0, count].contains(hosts.count), [0, count].contains(addresses.count),
            [0, 1, count].contains(ports.count)
        else { throw .invalidAddress("it has another number of hosts than of their addresses or ports") }
        let mode = options["sslmode"] ?? "verify-full"
        return try (0..<count).map { index throws(PostgreSQLError) in
            let host = hosts.isEmpty ? "" : hosts[index]
            let isLocal = addresses.isEmpty && (host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@"))
            guard isLocal || mode == "verify-full" else {
                throw .invalidAddress("it has sslmode=\(mode): a server must prove its name (sslmode=verify-full)")
            }
            var server: [(name: String, value: String)] = []
            if !hosts.isEmpty { server.append(("host", host)) }
            if !addresses.isEmpty { server.append(("hostaddr", addresses[index])) }
            if !ports.isEmpty { server.append(("port", ports[ports.count == 1 ? 0 : index])) }
            return server
        }
    }
}
