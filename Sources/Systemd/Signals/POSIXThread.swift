import CLinux
internal import Glibc

/// A POSIX thread with a Swift body, to be joined.
struct POSIXThread: @unchecked Sendable {
    // pthread_t is a plain number on Linux; joining from any one thread is allowed.
    private let handle: pthread_t

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts the thread with the mask of signals of the calling one.
    ///
    /// - Parameter name: For `ps -L`: at most 15 bytes.
    init(name: String, _ run: @escaping @Sendable () -> Void) throws(SystemdError) {
        var handle = pthread_t()
        // The thread takes over the one reference made here; on failure it is given back.
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

    /// Waits for the end; once only.
    func join() { pthread_join(handle, nil) }
}
