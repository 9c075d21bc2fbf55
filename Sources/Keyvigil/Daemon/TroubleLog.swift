internal import KeyStore
internal import Keys
internal import Synchronization

/// Tells the operator of trouble that the store itself cannot tell of, each kind once until it is over or an hour has
/// passed.
final class TroubleLog: Sendable {
    private let output: EntryOutput
    private let now: @Sendable () -> Instant
    private let told = Mutex<[StoreError.Code: Instant]>([:])

    private static let silence = Period.seconds(3600)

    init(output: EntryOutput, now: @escaping @Sendable () -> Instant) {
        self.output = output
        self.now = now
    }

    /// Notes that the store has failed.
    func note(_ error: StoreError) {
        let instant = now()
        let isNews = told.withLock { told in
            if let last = told[error.code], instant < last.advanced(by: Self.silence), instant >= last { return false }
            told[error.code] = instant
            return true
        }
        guard isNews else { return }
        var fields: [Alert.Field: String] = [.reason: error.message]
        fields[.remedy] = error.hint
        let isDamage = error.code == .damaged || error.code == .notAStore
        output.log(
            Alert(
                kind: isDamage ? .storeDamaged : .storeUnavailable, priority: isDamage ? .critical : .error,
                message: "\(error.message); dates still decide, and the work is tried again every second",
                fields: fields),
            at: instant)
    }

    /// Notes that a queue of the daemon does not answer.
    func noteStall(of name: String) {
        output.log(
            Alert(
                kind: .storeUnavailable, priority: .error,
                message:
                    "the \(name) queue of keyvigild does not answer; if it stays so, the watchdog restarts the service",
                fields: [.reason: "a stuck disk or a lock that is held too long"]), at: now())
    }
}
