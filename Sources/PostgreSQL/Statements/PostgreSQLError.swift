/// Why the database did not do what it was asked for. No message holds a connection string, a password or a value of a row.
package enum PostgreSQLError: Error, Hashable, Sendable {
    /// libpq is not installed, or too old.
    case noLibrary
    /// The address of the database cannot be read.
    case invalidAddress(String)
    /// No server could be reached, or none let the caller in: the reason of each.
    case unreachable([String])
    /// A server answered that must not be used.
    case refused(Refusal)
    /// A statement failed, and its transaction with it.
    ///
    /// - Parameters:
    ///   - state: the SQLSTATE (appendix A of PostgreSQL's manual).
    ///   - constraint: that was violated; nil for another reason.
    case failed(state: String, message: String, constraint: String?)
    /// The connection was lost, or did not answer in time, before the transaction could be committed: nothing was changed.
    case lost(String)
    /// The connection was lost, did not answer in time, or gave a warning while the transaction was committed: whether anything was changed
    /// is not known.
    case unknownOutcome(String)
    /// A column is not of the type that it is read as.
    case unexpectedType(column: String)

    /// Why a server must not be used.
    package enum Refusal: Hashable, Sendable {
        /// A pooler is between: what belongs to a session, such as LISTEN and prepared statements, would be lost.
        case pooled
        /// It follows another server, and takes no changes.
        case standby
        /// A primary from before a failover: its changes are not those of the database that is in use.
        case formerPrimary(timeline: UInt32, known: UInt32)
        /// Another database than the one that was in use before.
        case otherSystem
        /// An older version than the program works with.
        case olderVersion(Int)
    }

    /// Whether the same operation can succeed if it is done again at once: a deadlock or a failed serialisation.
    package var isConflict: Bool {
        guard case .failed(let state, _, _) = self else { return false }
        return state == "40001" || state == "40P01"
    }
}
