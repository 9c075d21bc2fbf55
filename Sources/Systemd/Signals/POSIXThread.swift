import CLinux
internal import Glibc

/// A POSIX thread with a Swift body, to be joined.
package struct POSIXThread: @unchecked Sendable {
    // pthread_t is a plain number on Linux; joining from any one thread is allowed.
    private let handle: pthread_t

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts the thread with the signal mask of the calling thread.
    ///
    /// - Parameter name: The name in `ps -L`: at most 15 bytes.
    package init(name: String, _ run: @escaping @Sendable () -> Void) throws(SystemdError) {
        var handle = pthread_t()
        // The thread takes ownership of the reference; on failure it is released here.
        let body = unsafe Unmanaged.passRetained(
            Body {
                unsafe keyvigil_name_this_thread(name)
                run()
            })
        let failure = unsafe pthread_create(
            &handle, nil,
            { argument in
                if let argument = unsafe argument {
                    unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                }
                return nil
            }, body.toOpaque())
        guard failure == 0 else {
            unsafe body.release()
            throw .cannot("start the thread \(name)", failure)
        }
        self.handle = handle
    }

    /// Waits for the thread to end. Call it only once.
    package func join() { pthread_join(handle, nil) }
}
