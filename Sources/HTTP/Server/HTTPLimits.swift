/// What one client, and all together, may take of a server.
package struct HTTPLimits: Sendable {
    /// Connections at once. Beyond them the one closes that was served the longest ago.
    package var connections = 4096
    /// Of the request line and the headers together, about; of a connection, in bytes. More than 32 KiB, libmicrohttpd maps
    /// for each connection and unmaps when it ends, so that nothing remains of a request that was not completed; the
    /// memory of a completed one it overwrites.
    package var headerBytes = 36 << 10
    package var bodyBytes = 64 << 10
    /// The time in milliseconds after which a connection that has not completed a request is closed: whether it is idle, sends its
    /// request slowly or reads its answer slowly.
    package var idleMilliseconds = 75_000

    package init() {}
}
