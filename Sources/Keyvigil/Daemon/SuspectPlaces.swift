internal import Dispatch
internal import Errors
internal import Glibc
internal import Keys
internal import Synchronization

/// Places that have stopped the daemon before. Some did not answer: on a network file system whose server is gone, a read waits
/// for ever. Each of those is asked on a queue of its own, so that it holds up nothing else. Others used up the memory that the
/// service may have, or found a fault in it.
final class SuspectPlaces: Sendable {
    /// What the store remembers of such a place.
    static let problem = "it did not answer: a disk or a network file system hangs"
    /// What it remembers of a place that was being scanned when the daemon was killed. It is scanned again after all others.
    static let cutOff = "the daemon was killed while it scanned this; it is scanned again, after all other places"

    /// All that is remembered so.
    static let problems = [problem, cutOff, SetAside.problem]

    private enum State {
        case asked
        case answering
    }

    /// Returns when a place answers.
    let answers: @Sendable (String) -> Void
    private let states = Mutex<[ExactText: State]>([:])

    init(answers: @escaping @Sendable (String) -> Void) { self.answers = answers }

    /// Looks at a place, whatever it says.
    static func touch(_ path: String) { _ = unsafe access(path, R_OK) }

    /// Whether a place is known to answer again; if not, it is asked, once at a time.
    ///
    /// - Parameter answered: is called when it answers.
    func isAnswering(_ path: String, answered: @escaping @Sendable () -> Void) -> Bool {
        let (isAnswering, mustAsk) = states.withLock { states in
            let known = states[ExactText(path)]
            if known == nil { states[ExactText(path)] = .asked }
            return (known == .answering, known == nil)
        }
        if mustAsk {
            DispatchQueue(label: "keyvigil.suspect").async {
                self.answers(path)
                self.states.withLock { $0[ExactText(path)] = .answering }
                answered()
            }
        }
        return isAnswering
    }

    /// The place has been scanned: it is as good as any other.
    func forget(_ path: String) { states.withLock { $0[ExactText(path)] = nil } }
}

extension Alert {
    /// A place is set aside because it has stopped the daemon.
    init(setAside place: String) {
        self.init(
            kind: .scanFailed, priority: .error,
            message: "\(name: place) is not scanned: \(words: SetAside.problem)",
            fields: [
                .repository: place, .reason: SetAside.problem,
                .remedy: "look at its size and at what was pushed to it; scan it by hand, with a limit of memory: "
                    + "systemd-run --pipe -p User=keyvigil -p MemoryMax=2G keyvigil scan \(argument: place); "
                    + "the service tries it once more after: systemctl reload keyvigil",
            ])
    }
}
