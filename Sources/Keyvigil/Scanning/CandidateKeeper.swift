internal import Keys
internal import LeakScan
internal import Synchronization

/// Keeps the secrets that a scan finds, in memory that is zeroed, until their issuers were asked about them.
final class CandidateKeeper: Sendable {
    /// The most that are kept of one place; of more the issuer is not asked.
    static let most = 200

    private struct State {
        var kept: [Candidate] = []
        var isOverfull = false
    }

    /// Owns one secret; the array of them cannot hold values that are not copyable.
    private final class Candidate: Sendable {
        let term: Int64
        let secret: Secret

        init(term: Int64, _ bytes: borrowing Span<UInt8>) {
            self.term = term
            secret = Secret(copying: bytes)
        }

        func equals(_ bytes: borrowing Span<UInt8>) -> Bool {
            secret.withBytes { own in
                guard own.count == bytes.count else { return false }
                var difference: UInt8 = 0
                for index in own.indices { difference |= own[index] ^ bytes[index] }
                return difference == 0
            }
        }
    }

    private let state = Mutex(State())

    func keep(_ candidate: borrowing Span<UInt8>, term: Int64) {
        // A span cannot be captured, so it is copied first.
        let new = Candidate(term: term, candidate)
        state.withLock { state in
            let isKnown = state.kept.contains { kept in new.secret.withBytes { kept.equals($0) } }
            if isKnown { return }
            guard state.kept.count < Self.most else {
                state.isOverfull = true
                return
            }
            state.kept.append(new)
        }
    }

    /// Runs `body` on each secret that was kept since this was last asked, and forgets them.
    ///
    /// - Returns: whether there were more than ``most``.
    func drain(_ body: (_ term: Int64, _ secret: borrowing Secret) throws -> Void) rethrows -> Bool {
        let (kept, isOverfull) = state.withLock { state in
            let taken = (state.kept, state.isOverfull)
            state.kept = []
            state.isOverfull = false
            return taken
        }
        for candidate in kept { try body(candidate.term, candidate.secret) }
        return isOverfull
    }
}
