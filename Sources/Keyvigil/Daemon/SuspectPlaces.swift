internal import Dispatch
internal import Glibc
internal import Synchronization

/// Places that once did not answer: on a network file system whose server is gone, a read waits for ever. Each is asked
/// on a queue of its own, so that it holds up nothing else.
final class SuspectPlaces: Sendable {
    /// What the store remembers of such a place.
    static let problem = "it did not answer: a disk or a network file system hangs"

    private enum State {
        case asked
        case answering
    }

    /// Returns when a place answers.
    let answers: @Sendable (String) -> Void
    private let states = Mutex<[String: State]>([:])

    init(answers: @escaping @Sendable (String) -> Void) { self.answers = answers }

    /// Looks at a place, whatever it says.
    static func touch(_ path: String) { _ = unsafe access(path, R_OK) }

    /// Whether a place is known to answer again; if not, it is asked, once at a time.
    ///
    /// - Parameter answered: is called when it answers.
    func isAnswering(_ path: String, answered: @escaping @Sendable () -> Void) -> Bool {
        let (isAnswering, mustAsk) = states.withLock { states in
            let known = states[path]
            if known == nil { states[path] = .asked }
            return (known == .answering, known == nil)
        }
        if mustAsk {
            DispatchQueue(label: "keyvigil.suspect").async {
                self.answers(path)
                self.states.withLock { $0[path] = .answering }
                answered()
            }
        }
        return isAnswering
    }

    /// The place has been scanned: it is as good as any other.
    func forget(_ path: String) { states.withLock { $0[path] = nil } }
}
