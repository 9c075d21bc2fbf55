internal import HTTP
internal import KeyStore
internal import Keys
internal import Systemd

/// Answers on the sockets that the service manager has passed, each on a thread of its own.
///
/// They share nothing with the daemon's other services but the store, which every reader reads by itself: a flood of requests
/// delays neither dates nor delivery.
final class SocketService: Sendable {
    private let hook: HookDoor
    private let read: ReadDoor?
    private let servers: [(name: SocketName, server: HTTPServer)]

    /// - Parameters:
    ///   - sockets: of which those with known names are served.
    ///   - reader: runs the verbs that people ask for; nil: none is.
    ///   - failed: called when the store cannot be read.
    ///   - unusable: gets what keeps a socket from being served, in words.
    init(
        _ sockets: consuming ListeningSockets, workspace: Workspace, reader: ReadDoor.Runner?,
        now: @escaping @Sendable () -> Instant, failed: @escaping @Sendable (StoreError) -> Void,
        recovered: @escaping @Sendable () -> Void, unusable: @escaping @Sendable (SocketName, String) -> Void
    ) {
        let (store, configuration) = (workspace.store, workspace.configuration)
        let settings = configuration.socket
        let counter = VerificationCounter()
        let read = reader.map { ReadDoor(workspace, verifications: counter, run: $0) }
        self.read = read
        let hook = HookDoor(
            store: store, configuration: configuration, now: now, failed: failed)
        self.hook = hook
        let verify = VerifyDoor(
            store: store, credentialHeaders: settings.credentialHeaders, counter: counter, now: now, failed: failed,
            recovered: recovered)
        var limits = HTTPLimits()
        limits.connections = settings.connections
        limits.idleMilliseconds = Int(settings.idle.milliseconds)
        var servers: [(SocketName, HTTPServer)] = []
        for name in SocketName.allCases {
            guard let socket = sockets.take(name.rawValue) else { continue }
            let handler: HTTPServer.Handler
            switch name {
            case .verify: handler = { verify.answer($0) }
            case .hook: handler = { hook.answer($0) }
            case .read:
                guard let read else { continue }
                handler = { read.answer($0) }
            }
            servers.append(
                (name, HTTPServer(listening: socket, limits: limits, failed: { unusable(name, $0) }, handler: handler)))
        }
        self.servers = servers
    }

    func start() throws {
        for (name, server) in servers { try server.start(name: "kv-\(name.rawValue)") }
    }

    /// Takes what a reload may change.
    func adopt(_ loaded: LoadedConfiguration) {
        hook.adopt(loaded.configuration)
        read?.adopt(loaded)
    }

    func stop() { for (_, server) in servers { server.stop() } }
}
