internal import CPostgreSQLLoader
internal import Glibc

/// A connection to a server. It has one owner, who uses it on one thread at a time.
///
/// Each call sends its statements together and waits once for all their results (pipeline mode), at most until a deadline. A call that fails
/// other than by a statement leaves the connection useless: its owner closes it, by ending the value, and opens another. Nothing
/// is ever cancelled: a COMMIT that is cancelled while it waits for a standby can be visible and be lost later.
///
/// Unsafe: `handle` and `warnings` are freed in `deinit`, and no result refers to them; texts and values that are passed to libpq are valid
/// during the call, which copies them. Unchecked: the value has one owner, and each call needs exclusive access to it.
@safe package struct Connection: ~Copyable, @unchecked Sendable {
    let library: Library
    let handle: OpaquePointer
    /// The number of warnings that have come, counted by the notice receiver.
    private let warnings: UnsafeMutablePointer<UInt32>
    /// The names of the statements that the server has prepared.
    private var prepared: [PreparedText: String] = [:]
    /// How many names were given: those of statements that the server did not prepare are not used again.
    private var namesGiven = 0
    private var isInTransaction = false
    /// What was sent, of which the results are to be read.
    private var sent: [Sent] = []
    /// Whether the connection can be used.
    package private(set) var isUsable = true

    /// Which server it is to; nil before that is asked.
    package internal(set) var server: ServerIdentity?

    private struct PreparedText: Hashable {
        let text: String
        let types: [UInt32]
    }

    /// Connects by the parameters of libpq, in their order. Names are looked up by the C library, which keeps no deadline.
    ///
    /// - Throws: ``PostgreSQLError/unreachable(_:)``
    static func connect(
        _ parameters: [(name: String, value: String)], before deadline: Deadline
    ) throws(PostgreSQLError) -> Connection {
        let library = try Library.load()
        let names = unsafe CStrings(parameters.map(\.name))
        let values = unsafe CStrings(parameters.map(\.value))
        guard let handle = unsafe library.functions.pointee.connectStartParams(names.pointers, values.pointers, 0)
        else {
            throw .unreachable(["out of memory"])
        }
        let connection = unsafe Connection(handle, library)
        try connection.connect(before: deadline)
        return connection
    }

    /// - Parameter handle: a connection that is being made, which this value owns from now on.
    @unsafe private init(_ handle: OpaquePointer, _ library: Library) {
        self.library = library
        unsafe self.handle = handle
        unsafe warnings = .allocate(capacity: 1)
        unsafe warnings.initialize(to: 0)
        _ = unsafe library.functions.pointee.setNoticeReceiver(handle, Self.count, warnings)
    }

    deinit {
        unsafe library.functions.pointee.finish(handle)
        unsafe warnings.deallocate()
    }

    /// The steps of PQconnectPoll.
    private borrowing func connect(before deadline: Deadline) throws(PostgreSQLError) {
        let pq = unsafe library.functions.pointee
        // "PGRES_POLLING_WRITING until the first call of PQconnectPoll."
        var state = PGRES_POLLING_WRITING
        while state != PGRES_POLLING_OK {
            guard unsafe pq.status(handle) != CONNECTION_BAD, state != PGRES_POLLING_FAILED else {
                throw .unreachable([message])
            }
            let isReading = state == PGRES_POLLING_READING
            guard wait(toRead: isReading, toWrite: !isReading, before: deadline) else {
                throw .unreachable(["no answer in time"])
            }
            state = unsafe pq.connectPoll(handle)
        }
        guard unsafe pq.setnonblocking(handle, 1) == 0, unsafe pq.enterPipelineMode(handle) == 1 else {
            throw .unreachable([message])
        }
    }

    /// Counts warnings; what they say is not kept.
    private static let count: PQnoticeReceiver = { counter, result in
        guard let counter = unsafe counter, let library = try? Library.load() else { return }
        let severity = unsafe library.functions.pointee.resultErrorField(result, keyvigil_pq_severity)
        guard let severity = unsafe severity, unsafe strcmp(severity, "WARNING") == 0 else { return }
        unsafe counter.assumingMemoryBound(to: UInt32.self).pointee += 1
    }

    /// What libpq says of the last failure, in one line. It names the server and the user, never a password.
    private var message: String {
        let text = unsafe library.functions.pointee.errorMessage(handle).map { unsafe String(cString: $0) } ?? ""
        return text.split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }.joined(separator: "; ")
    }

    // MARK: - Statements

    /// Runs statements in one round trip: in the transaction that was begun, else in one of their own, which is committed.
    ///
    /// - Returns: the result of each statement.
    @discardableResult
    package mutating func run(_ statements: [Statement], before deadline: Deadline) throws(PostgreSQLError) -> [Rows] {
        try exchange(statements, commits: !isInTransaction, before: deadline)
    }

    /// Runs statements that change nothing, in one round trip.
    package mutating func read(_ statements: [Statement], before deadline: Deadline) throws(PostgreSQLError) -> [Rows] {
        try exchange(statements, commits: false, before: deadline)
    }

    /// Begins a transaction, and runs its first statements, in one round trip.
    @discardableResult
    package mutating func begin(_ statements: [Statement] = [], before deadline: Deadline) throws(PostgreSQLError)
        -> [Rows]
    {
        isInTransaction = true
        return Array(try exchange(["BEGIN"] + statements, commits: false, before: deadline).dropFirst())
    }

    /// Sends statements of a transaction, which is begun where none is, without waiting for their results: the server works on them while
    /// the caller goes on. The next call that waits reads their results first, and throws what is wrong with them.
    package mutating func send(_ statements: [Statement]) throws(PostgreSQLError) {
        guard isUsable else { throw Self.closed }
        let beginning: [Statement] = isInTransaction ? [] : ["BEGIN"]
        isInTransaction = true
        try send(beginning + statements, commits: false)
        // What the socket does not take now goes with what is sent next.
        guard unsafe library.functions.pointee.flush(handle) >= 0 else { throw lose(message, commits: false) }
    }

    /// Runs the last statements of a transaction, and commits it, in one round trip.
    ///
    /// - Throws: ``PostgreSQLError/unknownOutcome(_:)`` where it may be committed or not.
    @discardableResult
    package mutating func commit(_ statements: [Statement] = [], before deadline: Deadline) throws(PostgreSQLError)
        -> [Rows]
    {
        let results = try exchange(statements + ["COMMIT"], commits: true, before: deadline)
        isInTransaction = false
        return results.dropLast()
    }

    /// Ends a transaction without its changes.
    package mutating func rollBack(before deadline: Deadline) throws(PostgreSQLError) {
        _ = try exchange(["ROLLBACK"], commits: false, before: deadline)
        isInTransaction = false
    }

    /// Sends statements, and reads their results.
    ///
    /// - Parameter commits: whether the server may commit before it answers.
    private mutating func exchange(
        _ statements: [Statement], commits: Bool, before deadline: Deadline
    ) throws(PostgreSQLError) -> [Rows] {
        guard isUsable else { throw Self.closed }
        unsafe warnings.pointee = 0
        try send(statements, commits: commits)
        let results = try receive(commits: commits, before: deadline).suffix(statements.count)
        guard unsafe !commits || warnings.pointee == 0 else {
            // A synchronous standby may not have it (SyncRepWaitForLSN, src/backend/replication/syncrep.c).
            throw lose("the server gave a warning while it committed", commits: true)
        }
        return Array(results)
    }

    private static let closed = PostgreSQLError.lost("the connection is closed")

    /// What was sent, of which results come.
    private enum Sent {
        case preparation(PreparedText, name: String)
        case statement
        /// The end of what was sent together: after an error the server passes over what is before it.
        case end
    }

    private mutating func send(_ statements: [Statement], commits: Bool) throws(PostgreSQLError) {
        for statement in statements {
            guard send(statement) else { throw lose(message, commits: commits) }
        }
        guard unsafe library.functions.pointee.pipelineSync(handle) == 1 else { throw lose(message, commits: commits) }
        sent.append(.end)
    }

    /// Statements with values are prepared once. Others, such as BEGIN, have no plan that is worth keeping.
    ///
    /// - Returns: false where the connection is lost.
    private mutating func send(_ statement: Statement) -> Bool {
        let pq = unsafe library.functions.pointee
        let count = Int32(statement.types.count)
        guard count > 0 else {
            sent.append(.statement)
            return unsafe pq.sendQueryParams(handle, statement.text, 0, nil, nil, nil, nil, 1) == 1
        }
        let key = PreparedText(text: statement.text, types: statement.types)
        let name: String
        if let known = prepared[key] ?? nameSent(of: key) {
            name = known
        } else {
            name = "s\(namesGiven)"
            namesGiven += 1
            sent.append(.preparation(key, name: name))
            guard unsafe pq.sendPrepare(handle, name, statement.text, count, statement.types) == 1 else { return false }
        }
        sent.append(.statement)
        // All values in one piece of memory, each at its offset.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(statement.values.reduce(1) { $0 + ($1?.count ?? 0) })
        for case let value? in statement.values { bytes += value }
        bytes.append(0)
        let lengths = statement.values.map { Int32($0?.count ?? 0) }
        return unsafe bytes.withUnsafeBytes { bytes in
            var offset = 0
            var pointers: [UnsafePointer<CChar>?] = unsafe []
            for value in statement.values {
                unsafe pointers.append(
                    value == nil ? nil : bytes.baseAddress?.advanced(by: offset).assumingMemoryBound(to: CChar.self))
                offset += value?.count ?? 0
            }
            return unsafe pq.sendQueryPrepared(
                handle, name, count, pointers, lengths, [Int32](repeating: 1, count: Int(count)), 1) == 1
        }
    }

    /// The name of a statement that is sent to be prepared.
    private func nameSent(of text: PreparedText) -> String? {
        for case .preparation(text, let name) in sent { return name }
        return nil
    }

    /// Reads the results of all that was sent.
    private mutating func receive(commits: Bool, before deadline: Deadline) throws(PostgreSQLError) -> [Rows] {
        let sent = self.sent
        self.sent = []
        let pq = unsafe library.functions.pointee
        var results: [Rows] = []
        var failure: PostgreSQLError?
        var next = 0
        while true {
            let unsent = unsafe pq.flush(handle)
            guard unsent >= 0 else { throw failure ?? lose(message, commits: commits) }
            if unsafe pq.isBusy(handle) != 0 {
                guard wait(toRead: true, toWrite: unsent > 0, before: deadline) else {
                    throw lose("no answer in time", commits: commits && failure == nil)
                }
                guard unsafe pq.consumeInput(handle) == 1 else {
                    throw lose(message, commits: commits && failure == nil)
                }
                continue
            }
            guard let result = unsafe pq.getResult(handle) else {
                // The results of one statement have come.
                guard unsafe pq.status(handle) != CONNECTION_BAD else {
                    throw lose(message, commits: commits && failure == nil)
                }
                next += 1
                continue
            }
            let status = unsafe pq.resultStatus(result)
            let rows = unsafe Rows(result, library)
            switch status {
            case PGRES_PIPELINE_SYNC:
                next += 1
                guard next == sent.count else { continue }
                if let failure { throw failure }
                return results
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK:
                guard next < sent.count else { break }
                // What was prepared stays so where a later statement fails.
                switch sent[next] {
                case .preparation(let text, let name): prepared[text] = name
                case .statement: results.append(rows)
                case .end: break
                }
            case PGRES_PIPELINE_ABORTED: break
            default:
                // An error of a statement ends its transaction; any other one ends the connection, whatever was committed by then.
                guard rows.field(keyvigil_pq_severity) == "ERROR" else {
                    throw lose(rows.field(keyvigil_pq_message) ?? message, commits: commits && failure == nil)
                }
                failure = failure ?? rows.failure
            }
        }
    }

    /// The connection can no longer be used.
    private mutating func lose(_ reason: String, commits: Bool) -> PostgreSQLError {
        isUsable = false
        return commits ? .unknownOutcome(reason) : .lost(reason)
    }

    /// Waits for the socket.
    ///
    /// - Returns: false where the deadline has come first.
    private borrowing func wait(toRead: Bool, toWrite: Bool, before deadline: Deadline) -> Bool {
        let events = (toRead ? POLLIN : 0) | (toWrite ? POLLOUT : 0)
        while true {
            var descriptor = pollfd(fd: socket, events: Int16(events), revents: 0)
            let rest = deadline.milliseconds
            let count = unsafe poll(&descriptor, 1, rest)
            if count > 0 { return true }
            if count == 0, rest == 0 { return false }
            guard count == 0 || errno == EINTR else { return false }
        }
    }

    // MARK: - Notifications

    /// The descriptor of the connection.
    var socket: Int32 { unsafe library.functions.pointee.socket(handle) }

    /// Reads all that has come without being asked for. Whoever waits for the socket may hear of its end and of what came before it
    /// but once.
    ///
    /// - Returns: false where the connection is lost.
    @discardableResult
    mutating func consume() -> Bool {
        let pq = unsafe library.functions.pointee
        repeat {
            guard unsafe pq.consumeInput(handle) == 1, unsafe pq.status(handle) != CONNECTION_BAD else {
                isUsable = false
                return false
            }
        } while wait(toRead: true, toWrite: false, before: .passed)
        return true
    }

    /// Takes the notifications that have come, and returns the channels that they came by.
    borrowing func takeNotifications() -> Set<String> {
        let pq = unsafe library.functions.pointee
        var channels: Set<String> = []
        while let notification = unsafe pq.notifies(handle) {
            if let name = unsafe notification.pointee.relname { unsafe channels.insert(String(cString: name)) }
            unsafe pq.freemem(notification)
        }
        return channels
    }

    /// The number of the server's process, as the server or a pooler gave it when the connection was made.
    var announcedBackend: Int64 { Int64(unsafe library.functions.pointee.backendPID(handle)) }

    /// The version of the server, such as 150004.
    var serverVersion: Int { Int(unsafe library.functions.pointee.serverVersion(handle)) }
}

extension Rows {
    /// The error that a result is.
    fileprivate var failure: PostgreSQLError {
        .failed(
            state: field(keyvigil_pq_state) ?? "XX000", message: field(keyvigil_pq_message) ?? "no reason was given",
            constraint: field(keyvigil_pq_constraint))
    }
}

/// Texts that end with a NUL, as an array that ends with NULL. They may hold a password: they are wiped at the end.
///
/// Unsafe: the memory is freed in `deinit`, after the last use of `pointers`.
@unsafe private struct CStrings: ~Copyable {
    private let texts: [UnsafeMutablePointer<CChar>?]
    let pointers: [UnsafePointer<CChar>?]

    init(_ texts: [String]) {
        unsafe self.texts = texts.map { unsafe strdup($0) }
        unsafe pointers = self.texts.map { unsafe UnsafePointer($0) } + [nil]
    }

    deinit {
        unsafe texts.forEach { text in
            guard let text = unsafe text else { return }
            unsafe explicit_bzero(text, strlen(text))
            unsafe free(text)
        }
    }
}
