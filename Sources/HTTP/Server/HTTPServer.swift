internal import CLinux
internal import CMicrohttpdLoader
internal import Glibc
internal import Synchronization
internal import Systemd

/// Serves HTTP/1.1 on one listening socket, on one thread of its own.
///
/// The thread sleeps while no client is there. Handlers run on it, so they must be quick; what takes longer answers later
/// (``HTTPReply``). One request of each connection is handled at a time, in turn with those of others.
///
/// Unchecked: what is not constant or a mutex is touched on that thread only. Unsafe code: libmicrohttpd calls back on that thread
/// alone, with pointers that are valid during the call; the server and its peers outlive their connections.
@safe package final class HTTPServer: @unchecked Sendable {
    package typealias Handler = @Sendable (borrowing HTTPRequest) -> HTTPReply

    private let listening: Int32
    private let limits: HTTPLimits
    private let handler: Handler
    private let failed: @Sendable (String) -> Void
    private let wake: Int32
    private let finished = Mutex<[(peer: UnsafeSendablePeer, response: HTTPResponse)]>([])
    private let isStopping = Atomic<Bool>(false)
    private var daemon: OpaquePointer?
    private var peers: [HTTPPeer] = []
    private var paced: [(at: UInt64, peer: HTTPPeer)] = []
    private var polled: [pollfd]
    /// When the next connection may have to be closed.
    private var nextSweep: UInt64?

    /// A peer that another thread hands back untouched.
    private struct UnsafeSendablePeer: @unchecked Sendable {
        let peer: HTTPPeer
    }

    /// - Parameters:
    ///   - listening: the descriptor of a socket that listens and does not block. It stays the caller's.
    ///   - failed: gets what keeps the server from serving, once, in words.
    package init(
        listening: Int32, limits: HTTPLimits = HTTPLimits(), failed: @escaping @Sendable (String) -> Void = { _ in },
        handler: @escaping Handler
    ) {
        self.listening = listening
        self.limits = limits
        self.failed = failed
        self.handler = handler
        wake = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        polled = [listening, wake].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    }

    /// Begins to serve. The server lives until the process ends.
    ///
    /// - Parameter name: of the thread, at most 15 bytes.
    package func start(name: String = "http") throws {
        _ = try POSIXThread(name: name) { self.serve() }
    }

    /// Whether the library that serves can be loaded here.
    package static var isLoadable: Bool { keyvigil_http_load() }

    /// Ends serving after the requests that are being handled.
    package func stop() {
        isStopping.store(true, ordering: .sequentiallyConsistent)
        _ = eventfd_write(wake, 1)
    }

    // MARK: - The thread

    private func serve() {
        guard wait(for: listening, until: nil) else { return }
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        guard keyvigil_http_load(),
            let daemon = unsafe keyvigil_http_start(
                listening, UInt32(limits.connections), limits.headerBytes, Self.callbacks(context))
        else {
            failed("libmicrohttpd.so.12 cannot be loaded or does not start")
            return refuse()
        }
        unsafe self.daemon = daemon
        let descriptor = unsafe keyvigil_http_descriptor(daemon)
        while true {
            let isPending = unsafe keyvigil_http_is_pending(daemon)
            guard wait(for: descriptor, until: isPending ? 0 : nextMoment) else { return }
            resume()
            sweep()
            unsafe keyvigil_http_run(daemon)
        }
    }

    /// Closes each connection at once, so that no client waits.
    private func refuse() {
        while wait(for: listening, until: nil) {
            let connection = Glibc.accept(listening, nil, nil)
            if connection >= 0 { close(connection) }
        }
    }

    /// Sleeps until a descriptor is readable, another thread has something for this one, or a moment has come.
    ///
    /// - Parameter moment: of CLOCK_MONOTONIC, in nanoseconds; nil: none.
    /// - Returns: false when the server ends.
    private func wait(for descriptor: Int32, until moment: UInt64?) -> Bool {
        polled[0].fd = descriptor
        if let moment {
            let now = moment == 0 ? 0 : Self.now
            let left = moment > now ? moment - now : 0
            var time = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
            _ = unsafe keyvigil_poll(&polled, nfds_t(polled.count), &time)
        } else {
            _ = unsafe keyvigil_poll(&polled, nfds_t(polled.count), nil)
        }
        if polled[1].revents != 0 {
            var count: eventfd_t = 0
            _ = unsafe eventfd_read(wake, &count)
        }
        return !isStopping.load(ordering: .sequentiallyConsistent)
    }

    private var nextMoment: UInt64? { [paced.lazy.map(\.at).min(), nextSweep].compactMap(\.self).min() }

    /// Lets libmicrohttpd ask again for the answers that are there.
    private func resume() {
        let finished = self.finished.withLock { finished in
            let all = finished
            finished.removeAll(keepingCapacity: true)
            return all
        }
        for (holder, response) in finished { resume(holder.peer, with: response) }
        guard !paced.isEmpty else { return }
        let now = Self.now
        for entry in paced where entry.at <= now { resume(entry.peer, with: nil) }
        paced.removeAll { $0.at <= now }
    }

    private func resume(_ peer: HTTPPeer, with response: HTTPResponse?) {
        if let response { peer.response = response }
        peer.isSuspended = false
        peer.servedAt = Self.now
        unsafe keyvigil_http_resume(peer.connection)
    }

    /// Closes the connections that have not completed a request for too long.
    private func sweep() {
        guard let moment = nextSweep else { return }
        let now = Self.now
        guard now >= moment else { return }
        var next: UInt64?
        for peer in peers {
            let end = peer.servedAt + idle
            if peer.isSuspended {
                continue
            } else if end <= now {
                shutdown(peer.socket, Int32(SHUT_RDWR))
            } else {
                next = min(next ?? end, end)
            }
        }
        // No more than one look at all of them a second.
        nextSweep = peers.isEmpty ? nil : max(next ?? now + idle, now + 1_000_000_000)
    }

    private var idle: UInt64 { UInt64(limits.idleMilliseconds) * 1_000_000 }

    private static var now: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    // MARK: - What libmicrohttpd calls

    private static func callbacks(_ context: UnsafeMutableRawPointer) -> keyvigil_http_callbacks {
        unsafe keyvigil_http_callbacks(
            request: { context, connection, path, method, data, size, state in
                guard let peer = unsafe HTTPServer.peer(keyvigil_http_state(connection)) else { return false }
                let server = unsafe HTTPServer.at(context)
                guard unsafe state.pointee != nil else {
                    unsafe state.pointee = Unmanaged.passUnretained(peer).toOpaque()
                    return true
                }
                guard unsafe size.pointee == 0 else {
                    let part = unsafe UnsafeMutableRawBufferPointer(start: data, count: size.pointee)
                    unsafe size.pointee = 0
                    return unsafe server.receive(part, of: peer)
                }
                return server.answer(peer, method: unsafe String(cString: method), path: unsafe String(cString: path))
            },
            connection: { context, connection, state, begins in
                let server = unsafe HTTPServer.at(context)
                if begins {
                    unsafe state.pointee = Unmanaged.passRetained(server.accept(connection)).toOpaque()
                } else if let holder = unsafe state.pointee {
                    server.forget(unsafe Unmanaged<HTTPPeer>.fromOpaque(holder).takeRetainedValue())
                    unsafe state.pointee = nil
                }
            },
            completed: { _, state in
                guard let peer = unsafe HTTPServer.peer(state.pointee) else { return }
                peer.servedAt = HTTPServer.now
                peer.discardBody()
            }, context: context)
    }

    private static func at(_ context: UnsafeMutableRawPointer) -> HTTPServer {
        unsafe Unmanaged<HTTPServer>.fromOpaque(context).takeUnretainedValue()
    }

    private static func peer(_ state: UnsafeMutableRawPointer?) -> HTTPPeer? {
        unsafe state.map { unsafe Unmanaged<HTTPPeer>.fromOpaque($0).takeUnretainedValue() }
    }

    private func accept(_ connection: OpaquePointer) -> HTTPPeer {
        let now = Self.now
        let peer = unsafe HTTPPeer(
            index: peers.count, socket: keyvigil_http_socket(connection), connection: connection, at: now)
        peers.append(peer)
        if nextSweep == nil { nextSweep = now + idle }
        // libmicrohttpd would accept no more; so the one leaves that has done nothing for the longest time.
        if peers.count >= limits.connections - Self.reserve,
            let oldest = peers.lazy.filter({ !$0.isSuspended }).min(by: { $0.servedAt < $1.servedAt })
        {
            // It counts as the latest until it is gone, so that the next one leaves for the next.
            oldest.servedAt = now
            shutdown(oldest.socket, Int32(SHUT_RDWR))
        }
        return peer
    }

    /// The number of places that are kept free for clients to come.
    private static let reserve = 8

    private func forget(_ peer: HTTPPeer) {
        peer.discardBody()
        peers[peer.index] = peers[peers.count - 1]
        peers[peer.index].index = peer.index
        peers.removeLast()
        if peers.isEmpty { nextSweep = nil }
    }

    private func receive(_ part: UnsafeMutableRawBufferPointer, of peer: HTTPPeer) -> Bool {
        defer { unsafe Zeroing.zero(part) }
        // An answer in the middle of a body is not possible: the connection closes.
        guard peer.body.count + part.count <= limits.bodyBytes else { return false }
        unsafe peer.body.append(contentsOf: part)
        return true
    }

    private func answer(_ peer: HTTPPeer, method: String, path: String) -> Bool {
        if let response = peer.response {
            peer.response = nil
            return send(response, to: peer)
        }
        let request = unsafe HTTPRequest(method: method, path: path, body: peer.body, connection: peer.connection)
        switch handler(request) {
        case .now(let response):
            return send(response, to: peer)
        case .at(let moment, let response):
            peer.response = response
            suspend(peer)
            paced.append((moment, peer))
            return true
        case .later(let body):
            suspend(peer)
            let holder = UnsafeSendablePeer(peer: peer)
            body { [self] response in
                finished.withLock { $0.append((holder, response)) }
                _ = eventfd_write(wake, 1)
            }
            return true
        }
    }

    private func suspend(_ peer: HTTPPeer) {
        peer.isSuspended = true
        unsafe keyvigil_http_suspend(peer.connection)
    }

    private func send(_ response: HTTPResponse, to peer: HTTPPeer) -> Bool {
        let made: OpaquePointer? =
            switch response.body {
            case .bytes(let bytes):
                unsafe bytes.withUnsafeBytes { unsafe keyvigil_http_response($0.count, $0.baseAddress) }
            case .file(let descriptor, let size): unsafe keyvigil_http_file_response(size, descriptor)
            }
        guard let made = unsafe made else { return false }
        for (name, value) in response.headers { unsafe keyvigil_http_add_header(made, name, value) }
        return unsafe keyvigil_http_answer(peer.connection, UInt32(response.status), made)
    }
}

extension HTTPPeer {
    /// Overwrites what is there of a body.
    fileprivate func discardBody() {
        guard !body.isEmpty else { return }
        Zeroing.zero(&body)
        body = []
    }
}
