import CLinux
internal import Dispatch
internal import Glibc

/// A Dispatch read source that owns its descriptor and closes it only after Dispatch has let go of it.
///
/// Closing earlier would let the number be used again while epoll still knows it.
final class DescriptorSource: Sendable {
    /// The descriptor; valid until the cancellation has been carried out.
    let number: Int32

    // Dispatch sources may be used from any thread; Dispatch's own headers say so, its Swift types do not.
    nonisolated(unsafe) private let source: any DispatchSourceRead

    /// Starts at once: `handler` runs on `queue` whenever the descriptor can be read. It must read all of it.
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

    /// No handler begins after this returns when called on the source's own queue; elsewhere one may still run.
    func cancel() { unsafe source.cancel() }

    /// Whether `cancel` was called.
    var isCancelled: Bool { unsafe source.isCancelled }

    /// Keeps the handler, and the closing of the descriptor, from running until `resume`; calls must pair.
    func suspend() { unsafe source.suspend() }

    /// Undoes one `suspend`.
    func resume() { unsafe source.resume() }
}
