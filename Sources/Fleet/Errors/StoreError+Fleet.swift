internal import KeyStore
internal import PostgreSQL

/// Runs `body`, and puts what the database reports into an error of the store.
func explaining<Value>(_ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error as PostgreSQLError { throw StoreError(error) } catch let error
        as FleetError
    {
        throw StoreError(.unreachable, "the fleet: \(error.message)", hint: error.hint)
    }
}

extension StoreError {
    init(_ error: PostgreSQLError) {
        let words = DatabaseError(error)
        let code: Code =
            switch error {
            case .unreachable, .lost, .unknownOutcome, .noLibrary, .refused: .unreachable
            case .failed(let state, _, _) where state.hasPrefix("53") || state.hasPrefix("57"): .unreachable
            default: .io
            }
        self.init(code, "the fleet: \(words.message)", hint: words.hint)
    }

    /// Another machine has said within the last minute that it is this host.
    static func otherMachine() -> StoreError {
        StoreError(
            .duplicate,
            "another machine, or this one before it was started again, was this host of the fleet within the last minute",
            hint: "if this is a copy of another host, let it join under a name of its own: keyvigil fleet join")
    }

    static func removed() -> StoreError {
        StoreError(
            .removed, "this host was removed from the fleet",
            hint:
                "join again with a new store: systemctl stop 'keyvigil*', put the store aside, keyvigil fleet join; or keep the store for "
                + "this host alone: keyvigil migrate --from-fleet")
    }

    static func nameTaken(_ name: String) -> StoreError {
        StoreError(
            .refused, "the fleet has a host named \(name), or this login is that of another host",
            hint: "give this host a name and a login of its own; keyvigil fleet hosts shows those that are taken")
    }

    static func otherPepper() -> StoreError {
        StoreError(
            .wrongPepper, "the fleet has another pepper than this host",
            hint: "put the pepper of the fleet in the place of this host's, before it has keys; see docs/FLEET.md")
    }

    static func notEmpty() -> StoreError {
        StoreError(
            .refused, "the fleet's database has members or keys already, which are not those of this store",
            hint:
                "a store with keys can only become the first of a fleet; join with a new store: keyvigil fleet join; or make the "
                + "database again: dropdb, createdb, keyvigil fleet migrate")
    }

    static func differs(_ table: String) -> StoreError {
        StoreError(
            .damaged, "the rows of \(table) in the fleet's database are not those of this store",
            hint: "nothing was changed; run it again, and if it fails again look at the server's disk and its log")
    }
}
