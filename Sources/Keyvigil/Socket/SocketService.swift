internal import HTTP
internal import KeyStore
internal import Keys
internal import Systemd

/// Answers on the sockets that the service manager has passed, each on a thread of its own.
///
/// They share nothing with the daemon's other services but the store, which every reader reads by itself: a flood of requests
/// delays neither dates nor delivery.
final class SocketService: Sendable {
    private let servers: [(name: SocketName, server: HTTPServer)]

    /// - Parameters:
    ///   - sockets: of which those with known names are served.
    ///   - failed: is told when the store cannot be read.
    ///   - unusable: gets what keeps a socket from being served, in words.
    init(
        _ sockets: consuming ListeningSockets, store: Store, settings: Configuration.SocketSettings,
        now: @escaping @Sendable () -> Instant, failed: @escaping @Sendable (StoreError) -> Void,
        recovered: @escaping @Sendable () -> Void, unusable: @escaping @Sendable (SocketName, String) -> Void
    ) {
        let verify = VerifyDoor(
            store: store, credentialHeaders: settings.credentialHeaders, now: now, failed: failed, recovered: recovered)
        var limits = HTTPLimits()
        limits.connections = settings.connections
        limits.idleMilliseconds = Int(settings.idle.milliseconds)
        var servers: [(SocketName, HTTPServer)] = []
        for name in SocketName.allCases {
            guard let socket = sockets.take(name.rawValue) else { continue }
            let handler: HTTPServer.Handler
            switch name {
            case .verify: handler = { verify.answer($0) }
            case .hook, .read: continue
            }
            servers.append(
                (name, HTTPServer(listening: socket, limits: limits, failed: { unusable(name, $0) }, handler: handler)))
        }
        self.servers = servers
    }

    func start() throws {
        for (name, server) in servers { try server.start(name: "kv-\(name.rawValue)") }
    }

    func stop() { for (_, server) in servers { server.stop() } }
}
