internal import Keys

/// The names of locations, which hosts of a fleet have in common: watched places, and files in which keys are expected.
///
/// A host names its own by their paths, such as `/srv/git`. The tables of a fleet have them with the name of the host, such as
/// `web2:/srv/git`, and so are those of other hosts shown. A store without a fleet has the paths alone.
struct PlaceNames {
    /// What the names of this host's locations begin with in the tables.
    private let prefix: String

    init(of host: HostIdentity) { self.init(ofHostNamed: host == .alone ? nil : host.name) }

    /// - Parameter host: nil for a store without a fleet.
    init(ofHostNamed host: String?) { prefix = host.map { "\($0):" } ?? "" }

    /// The names of the store's host.
    init(_ db: Connection) throws { self.init(of: try AuditChains.own(db).host) }

    /// The name in the tables of a location of this host.
    func stored(_ place: String) -> String { prefix + place }

    /// The name of a location of this host, by that in the tables; nil for one of another host.
    func own(_ stored: String) -> String? {
        guard stored.utf8.starts(with: prefix.utf8) else { return nil }
        return String(decoding: stored.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    }

    /// What to call a location: by its path where it is on this host, otherwise as `HOST:PATH`.
    func shown(_ stored: String) -> String { own(stored) ?? stored }

    /// The name of the host that a location is on, by that of the location in the tables; nil for a store without a fleet.
    func host(_ stored: String) -> String? {
        guard !prefix.isEmpty, let end = stored.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        return String(stored[..<end])
    }

    // MARK: - In statements

    /// The names of the hosts that locations are on, with commas, by an expression that has one location of each row; empty for a store
    /// without a fleet.
    func hosts(_ column: SQL) -> SQL {
        prefix.isEmpty ? "''" : "group_concat(DISTINCT substr(\(column), 1, instr(\(column), ':') - 1))"
    }

    /// The condition that a column names a location of this host.
    func areOwn(_ column: SQL) -> SQL {
        prefix.isEmpty ? "TRUE" : "substr(\(column), 1, \(prefix.unicodeScalars.count)) = \(prefix)"
    }

    /// The name in the tables, by a column or an expression that has that of a location of this host.
    func stored(column: SQL) -> SQL { prefix.isEmpty ? column : "\(prefix) || \(column)" }

    /// Names the locations of this host as another one, or as a store without a fleet.
    func rename(to names: PlaceNames, _ db: Connection) throws {
        for table: SQL in ["repositories", "expected_places"] {
            try db.run(
                """
                UPDATE \(table) SET path = \(names.prefix) || substr(path, \(prefix.unicodeScalars.count + 1))
                WHERE \(areOwn("path"))
                """)
        }
    }
}
