internal import Dispatch
package import Keys

/// Records what follows from verifications: times of use, and the alerts for secrets that have leaked or were retired and for
/// records that were changed. The caller of a verification does not wait for it.
package final class UseRecorder: Sendable {
    private let ledger: any Ledger
    private let queue = DispatchQueue(label: "keyvigil.uses")

    package init(_ ledger: any Ledger) { self.ledger = ledger }

    /// Records in the background. What cannot be written now will be with the next use.
    ///
    /// - Parameter caller: who has presented the secret; at most 200 characters, the rest is dropped.
    package func note(_ result: Verification, from caller: String?, at now: Instant) {
        guard Self.isNews(result, at: now) else { return }
        let caller = caller.map { String($0.prefix(NameRules.longest)) }
        queue.async { [ledger] in try? Self.record(result, in: ledger, from: caller, at: now) }
    }

    /// Waits until what was noted so far is recorded.
    package func flush() { queue.sync {} }

    /// Whether there is anything to record, as far as the verification tells.
    private static func isNews(_ result: Verification, at now: Instant) -> Bool {
        guard let key = result.key else { return false }
        if result.code == .tampered { return true }
        if result.secret == .retired { return Store.isReuseWorthTelling(key, at: now) }
        return result.code == .valid && (Store.isExposedUseNews(key, at: now) || Store.isUseWorthNoting(key, at: now))
    }

    /// Records at once.
    package static func record(
        _ result: Verification, in ledger: any Ledger, from caller: String?, at now: Instant
    ) throws {
        guard let key = result.key else { return }
        if result.code == .tampered {
            try ledger.noteTampering(of: key, at: now)
        } else if result.secret == .retired {
            try ledger.noteReuse(of: key, at: now)
        } else if result.code == .valid {
            try ledger.noteUse(of: key, at: now)
            try ledger.noteExposedUse(of: key, from: caller, at: now)
        }
    }
}
