import CLinux
internal import Dispatch
internal import Glibc

/// A Dispatch read source that owns its descriptor and closes it only after Dispatch has released it.
///
/// If it were closed earlier, the number could be reused while epoll still refers to it.
final class DescriptorSource: Sendable {
    /// The descriptor; valid until cancellation is complete.
    let number: Int32

    // Dispatch sources may be used from any thread, which its headers document but its Swift types do not express.
    nonisolated(unsafe) private let source: any DispatchSourceRead

    /// Starts at once: `handler` runs on `queue` whenever the descriptor is readable, and must read all of it.
    init(
        _ descriptor: consuming Descriptor, queue: DispatchQueue,
        handler: @escaping @Sendable (DescriptorSource) -> Void
    ) {
        let number = descriptor.release()
        self.number = number
        unsafe source = DispatchSource.makeReadSource(fileDescriptor: number, queue: queue)
        unsafe source.setEventHandler { [weak self] in
            if let self { handler(self) }
        }
        unsafe source.setCancelHandler { close(number) }
        unsafe source.activate()
    }

    deinit { unsafe source.cancel() }

    /// When called on the source's queue, no handler starts after this returns; called elsewhere, one may still run.
    func cancel() { unsafe source.cancel() }

    /// Whether `cancel` was called.
    var isCancelled: Bool { unsafe source.isCancelled }

    /// Prevents the handler, and the closing of the descriptor, from running until `resume`. Calls must be balanced.
    func suspend() { unsafe source.suspend() }

    /// Reverses one `suspend`.
    func resume() { unsafe source.resume() }
}
