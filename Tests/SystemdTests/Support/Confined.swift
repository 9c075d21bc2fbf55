import Dispatch
import Synchronization

@testable import Systemd

/// A reader that is used on one queue, as in the daemon. Unchecked Sendable: only the handler on that queue uses it.
final class Confined: @unchecked Sendable {
    private var reader: JournalReader

    init(_ reader: consuming JournalReader) { self.reader = reader }

    func changes(
        queue: DispatchQueue, handler: @escaping @Sendable (inout JournalReader) -> Void
    ) throws -> JournalChangeSource {
        try reader.changes(queue: queue) { [self] in handler(&reader) }
    }
}

/// Resumes a continuation the first time and ignores later calls.
final class Once<Value: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Value, Never>?>

    init(_ continuation: CheckedContinuation<Value, Never>) { self.continuation = Mutex(continuation) }

    func resume(_ value: sending Value) { continuation.withLock { $0.take() }?.resume(returning: value) }
}
