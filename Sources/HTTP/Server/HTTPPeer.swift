/// A connection of the server. Belongs to the server's thread.
///
/// Unsafe code: libmicrohttpd's connection is valid until it says that it ends, and then the peer is forgotten.
@safe final class HTTPPeer {
    /// Its place in the server's list.
    var index: Int
    let socket: Int32
    /// libmicrohttpd's.
    let connection: OpaquePointer
    /// When it was accepted, completed its last request, or got an answer that had to be waited for: CLOCK_MONOTONIC, in nanoseconds.
    var servedAt: UInt64
    /// What of the body of its request is there.
    var body: [UInt8] = []
    /// The answer that waits for libmicrohttpd to ask for it.
    var response: HTTPResponse?
    /// Whether its answer is being made.
    var isSuspended = false

    init(index: Int, socket: Int32, connection: OpaquePointer, at now: UInt64) {
        self.index = index
        self.socket = socket
        unsafe self.connection = connection
        servedAt = now
    }
}
