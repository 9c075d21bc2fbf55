internal import Dispatch

/// Hears that other sessions have changed something (LISTEN). A notification is a hint that may be lost: whoever hears looks himself,
/// and looks once after the listener was made.
///
/// Unchecked: the connection is used on `queue` only.
package final class Listener: @unchecked Sendable {
    private let queue: DispatchQueue
    private let heard: @Sendable (Set<String>) -> Void
    private let lost: @Sendable () -> Void
    /// Nil after the end.
    private var session: Session?

    private struct Session {
        let source: any DispatchSourceRead
        let holder: Holder
    }

    /// Closes the connection when both the listener and the source have let go of it.
    private final class Holder: @unchecked Sendable {
        var connection: Connection

        init(_ connection: consuming Connection) { self.connection = connection }
    }

    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - connection: is the listener's from now on.
    ///   - channels: names of lower-case letters and `_`.
    ///   - heard: is called, on a queue of the listener's own, once for notifications that came together, with their channels.
    ///   - lost: is called there once, when the connection is lost. Another listener takes the place of this one.
    package init(
        _ connection: consuming Connection, on channels: StaticString..., before deadline: Deadline,
        heard: @escaping @Sendable (Set<String>) -> Void, lost: @escaping @Sendable () -> Void
    ) throws(PostgreSQLError) {
        var connection = connection
        try connection.run(channels.map { Statement(stringLiteral: "LISTEN \($0)") }, before: deadline)
        queue = DispatchQueue(label: "keyvigil.database")
        self.heard = heard
        self.lost = lost
        let source = DispatchSource.makeReadSource(fileDescriptor: connection.socket, queue: queue)
        let holder = Holder(connection)
        session = Session(source: source, holder: holder)
        source.setEventHandler { [weak self] in self?.readable() }
        // The descriptor is closed after the source has let go of it.
        source.setCancelHandler { withExtendedLifetime(holder) {} }
        source.activate()
    }

    deinit { session?.source.cancel() }

    /// Ends to listen.
    package func cancel() { queue.sync { end() } }

    /// Runs `body` with the connection, between notifications.
    ///
    /// - Throws: ``PostgreSQLError``, also where the connection is lost.
    package func use<Value>(
        _ body: (inout Connection) throws(PostgreSQLError) -> Value
    ) throws(PostgreSQLError) -> Value {
        let result = queue.sync { () -> Result<Value, PostgreSQLError> in
            guard let session else { return .failure(.lost("the connection is closed")) }
            let result: Result<Value, PostgreSQLError>
            do throws(PostgreSQLError) {
                result = .success(try body(&session.holder.connection))
            } catch { result = .failure(error) }
            settle()
            return result
        }
        return try result.get()
    }

    // MARK: - On the queue

    private func readable() {
        guard let session else { return }
        session.holder.connection.consume()
        settle()
    }

    /// Reports what has come: what a statement has read from the socket is no longer readable there.
    private func settle() {
        guard let holder = session?.holder else { return }
        let channels = holder.connection.takeNotifications()
        if !channels.isEmpty { heard(channels) }
        guard !holder.connection.isUsable else { return }
        end()
        lost()
    }

    private func end() {
        session?.source.cancel()
        session = nil
    }
}
