package import KeyStore
internal import Keys
package import PostgreSQL
internal import Synchronization

/// The database of a fleet. It keeps one connection, which is made when it is first needed, and again when it was lost.
package final class FleetAuthority: Sendable {
    private let address: Address
    private let password: Password?
    /// Of the program.
    let version: String
    /// The names of the hosts that report what dates bring about, the first that lives; none: the one that notices it.
    let alertHosts: [String]
    let patience: Patience
    private let state: Mutex<State>

    private struct State: ~Copyable {
        var connection: Connection?
        /// The database that was in use last, with the latest of its timelines.
        var known: ServerIdentity?
        var dateReporter: Int64?
        var scanRequest: Int64?
        /// Why no server was reached, and until when none is tried again.
        var failure: (error: PostgreSQLError, until: ContinuousClock.Instant)?
    }

    /// How long a call may take.
    package struct Patience: Sendable {
        package var connecting = Duration.seconds(5)
        package var asking = Duration.seconds(5)
        package var changing = Duration.seconds(10)
        static let ending = Duration.seconds(1)
        static let copying = Duration.seconds(60)
        /// After a server was not reached: who asks meanwhile is answered at once.
        static let pause = Duration.seconds(1)

        package init() {}
    }

    /// - Parameters:
    ///   - password: of the login; nil: the one in the file that libpq knows, if a server asks for one.
    ///   - version: of the program.
    ///   - alertHosts: the names of the hosts that report what dates bring about, the first that lives.
    ///   - patience: with the database.
    package init(
        _ address: Address, password: Password?, version: String, alertHosts: [String] = [],
        patience: Patience = Patience()
    ) {
        self.address = address
        self.password = password
        self.version = version
        self.alertHosts = alertHosts
        self.patience = patience
        state = Mutex(State())
    }

    /// The same database by a connection of its own, for who may not wait for long, nor for what another thread asks.
    ///
    /// - Parameters:
    ///   - limit: how long a server may take to answer.
    ///   - server: the server that was met last (``server``).
    package func hurried(within limit: Duration, server: Membership.Server?) -> FleetAuthority {
        var patience = patience
        (patience.connecting, patience.asking) = (limit, limit)
        let other = FleetAuthority(
            address, password: password, version: version, alertHosts: alertHosts, patience: patience)
        other.server = server
        return other
    }

    /// Lends the connection. One that was kept may have been lost since its last use: what only asks is then asked once more, over a new
    /// one.
    func use<Value>(
        repeats: Bool, _ body: (inout Connection) throws -> Value
    ) throws -> Value {
        // By a variable, since what a closure of `withLock` returns has to leave the lock's region.
        var result: Value?
        try state.withLock { state in
            let wasKept = state.connection != nil
            do { result = try use(&state, body) } catch PostgreSQLError.lost where wasKept && repeats {
                result = try use(&state, body)
            }
        }
        guard let result else { preconditionFailure("the closure of withLock has run") }
        return result
    }

    private func use<Value>(
        _ state: inout State, _ body: (inout Connection) throws -> Value
    ) throws -> Value {
        var connection = try take(&state)
        // A transaction may be open where `body` throws: the connection ends with it.
        let value = try body(&connection)
        if connection.isUsable { state.connection = consume connection }
        return value
    }

    private func take(_ state: inout State) throws -> Connection {
        if let kept = state.connection.take(), kept.isUsable { return kept }
        return try open(&state)
    }

    /// Takes the connection away, for a transaction of some length: who needs one meanwhile makes another.
    func takeConnection() throws -> Connection { try state.withLock { state in try take(&state) } }

    /// Keeps a connection that was taken away for the next use.
    func giveBack(_ connection: consuming Connection) {
        var returned: Connection? = consume connection
        state.withLock { state in state.connection = returned.take() }
    }

    /// A connection of its own, for what waits for long.
    func open() throws -> Connection { try state.withLock { state in try open(&state) } }

    private func open(_ state: inout State) throws -> Connection {
        if let failure = state.failure, failure.until > .now { throw failure.error }
        var connection: Connection
        do throws(PostgreSQLError) {
            connection = try Connection.open(
                address, password: password, known: state.known, before: .after(patience.connecting))
        } catch {
            state.failure = (error, .now + Patience.pause)
            throw error
        }
        state.failure = nil
        try FleetSchema.current.require(&connection, before: .after(patience.asking))
        state.known = connection.server ?? state.known
        return connection
    }

    // MARK: - The server

    /// The server that was met last, and that no earlier one may take the place of.
    package var server: Membership.Server? {
        get {
            state.withLock { state in
                state.known.map { Membership.Server(system: $0.system, timeline: Int64($0.timeline)) }
            }
        }
        set {
            state.withLock { state in
                state.known = newValue.map {
                    ServerIdentity(system: $0.system, timeline: UInt32(truncatingIfNeeded: $0.timeline))
                }
            }
        }
    }

    package internal(set) var dateReporter: Int64? {
        get { state.withLock { $0.dateReporter } }
        set { state.withLock { $0.dateReporter = newValue } }
    }

    /// The number of the request to search its places that this host has not answered, as of its last sign of life; nil: there is none. One
    /// that is older than a day is past.
    package internal(set) var scanRequest: Int64? {
        get { state.withLock { $0.scanRequest } }
        set { state.withLock { $0.scanRequest = newValue } }
    }

    // MARK: - Notifications

    /// Hears of changes that members make.
    ///
    /// - Parameters:
    ///   - heard: is called, on a queue of the listener's own, after changes. Those before the call are not heard of. Its parameter
    ///     says whether someone waits to hear which hosts have applied them.
    ///   - lost: is called there once, when the connection is lost.
    package func listen(
        heard: @escaping @Sendable (_ isAwaited: Bool) -> Void, lost: @escaping @Sendable () -> Void
    ) throws -> Listener {
        try explaining {
            try Listener(
                try open(), on: "keyvigil", "keyvigil_waiting", before: .after(patience.asking),
                heard: { channels in heard(channels.contains("keyvigil_waiting")) }, lost: lost)
        }
    }

    /// Asks all hosts to say now how far they have applied each feed, instead of with their next sign of life.
    package func askForPositions() throws {
        try explaining {
            _ = try use(repeats: true) { connection in
                try connection.run(["NOTIFY keyvigil_waiting"], before: .after(patience.asking))
            }
        }
    }
}
