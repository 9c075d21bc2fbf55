internal import KeyStore
internal import Keys
internal import Synchronization

/// Tells the operator of trouble that the store itself cannot tell of, each kind once until it is over or an hour has
/// passed, and then that it is over.
final class TroubleLog: Sendable {
    /// Who has the trouble.
    enum Service: String, Sendable {
        case expiry, scan, delivery, control, socket, fleet
    }

    private struct State {
        var reported: [StoreError.Code: Instant] = [:]
        var failing = Set<Service>()
        /// Set once for ever: what is written to a damaged file makes it worse.
        var damage: String?
    }

    private let output: EntryOutput
    private let now: @Sendable () -> Instant
    private let damaged: @Sendable () -> Void
    private let state = Mutex(State())

    private static let silence = Period.seconds(3600)

    /// - Parameter damaged: is called once, when the store turns out to be damaged: nothing may write to it any more.
    init(output: EntryOutput, now: @escaping @Sendable () -> Instant, damaged: @escaping @Sendable () -> Void) {
        self.output = output
        self.now = now
        self.damaged = damaged
    }

    /// What is wrong with the store at present, for the status.
    var trouble: String? {
        state.withLock { state in
            state.damage ?? (state.failing.isEmpty ? nil : "the store cannot be used at present")
        }
    }

    /// Notes that the store has failed a service.
    func note(_ error: StoreError, in service: Service) {
        let instant = now()
        let isDamage = error.code == .damaged || error.code == .notAStore
        let (isNews, isFirstDamage) = state.withLock { state in
            state.failing.insert(service)
            let isFirstDamage = isDamage && state.damage == nil
            if isFirstDamage { state.damage = error.message }
            if let last = state.reported[error.code], instant < last.advanced(by: Self.silence), instant >= last {
                return (false, isFirstDamage)
            }
            state.reported[error.code] = instant
            return (state.damage == nil || isFirstDamage, isFirstDamage)
        }
        if isNews { output.log(Alert(failure: error), at: instant) }
        if isFirstDamage { damaged() }
    }

    /// Notes that what had failed for a service is done.
    func noteRecovery(of service: Service) {
        let isOver = state.withLock { state in
            guard state.failing.remove(service) != nil, state.failing.isEmpty, state.damage == nil else { return false }
            state.reported = [:]
            return true
        }
        guard isOver else { return }
        output.log(
            Alert(
                kind: .storeUnavailable, priority: .notice,
                message: "the store can be used again; what fell due meanwhile is being recorded",
                fields: [.reason: "the trouble is over"]), at: now())
    }

    /// Notes that a socket cannot be served.
    func noteUnusable(_ socket: SocketName, _ reason: String) {
        output.log(
            Alert(
                kind: .socketUnavailable, priority: .error,
                message: "keyvigild cannot answer on \(words: socket.path): \(words: reason)",
                fields: [
                    .reason: reason,
                    .remedy: SocketName.libraryRemedy,
                ]), at: now())
    }

    /// Notes that a part of the daemon does not get on.
    func noteStall(of name: String) {
        output.log(
            Alert(
                kind: .daemonStalled, priority: .error,
                message: "the \(words: name) of keyvigild does not get on; the watchdog will restart the service",
                fields: [
                    .reason: "a disk or network file system that does not answer, or a fault in Keyvigil",
                    .remedy: "journalctl -k -p warning -n 50; ps -o pid,stat,wchan:32,cmd -C keyvigild -L",
                ]), at: now())
    }
}

extension Alert {
    private static func consequence(of code: StoreError.Code) -> String {
        switch code {
        case .damaged, .notAStore: "nothing is written to it any more, and dates still decide"
        case .removed: "it verifies and changes nothing"
        case .unreachable, .stale, .duplicate, .rolledBack:
            "this host verifies by its copy, until that is older than max_staleness; nothing can be changed"
        default: "dates still decide, and the work is tried again every second"
        }
    }

    /// The alert for a store that fails, at the start or later.
    init(failure error: StoreError) {
        var fields: [Field: String] = [.reason: error.message]
        fields[.remedy] = error.hint
        let kind: AlertKind =
            switch error.code {
            case .damaged, .notAStore: .storeDamaged
            case .rolledBack: .storeRolledBack
            default: .storeUnavailable
            }
        self.init(
            kind: kind, priority: kind == .storeUnavailable ? .error : .critical,
            message: "\(words: error.message); \(words: Self.consequence(of: error.code))",
            fields: fields)
    }
}
