package import Foundation
import Synchronization

/// A socket before a server, at which a commit can be cut off.
///
/// Unsafe: descriptors are closed by the one thread that serves their connection.
package final class Relay: @unchecked Sendable {
    package let directory: URL
    private let target: String
    private let listener: Int32
    private let state = Mutex(State())

    /// What happens to the next request that holds a mark.
    package enum Fault: Sendable {
        /// It is not passed on, and the client's connection ends.
        case dropRequest
        /// The server carries it out, and the client's connection ends before the answer.
        case dropAnswer
        /// The same, and no further connection is accepted.
        case dropAnswerAndAll
        /// The client's connection ends; the server gets it only when the next such request comes, before that one.
        case delayRequest
    }

    private struct State {
        var requests = 0
        var fault: Fault?
        var mark: [UInt8] = []
        var cuts = 0
        var refuses = false
        /// A connection to the server, with what it is to get.
        var held: (server: Int32, request: [UInt8])?
    }

    package init(of server: TestServer) throws {
        directory = try TestServer.makeDirectory()
        target = server.directory.appending(path: Self.socketName).path
        let listener = try Self.makeSocket()
        self.listener = listener
        let path = directory.appending(path: Self.socketName).path
        guard unsafe Self.withAddress(path, { unsafe bind(listener, $0, $1) }) == 0, listen(listener, 16) == 0 else {
            throw TestServer.Failure(description: "no socket can be made at \(path)")
        }
        let relay = WeakRelay(self)
        Thread.detachNewThread {
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                guard let relay = relay.value else {
                    close(client)
                    return
                }
                Thread.detachNewThread { relay.serve(client) }
            }
        }
    }

    private final class WeakRelay: @unchecked Sendable {
        weak var value: Relay?
        init(_ value: Relay) { self.value = value }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        try? FileManager.default.removeItem(at: directory)
    }

    /// Lets a fault happen to the next request that holds a text.
    package func arm(_ fault: Fault, at mark: String) {
        state.withLock { state in
            state.fault = fault
            state.mark = Array(mark.utf8)
        }
    }

    /// Whether connections are refused from now on.
    package var refuses: Bool {
        get { state.withLock { $0.refuses } }
        set { state.withLock { $0.refuses = newValue } }
    }

    /// The number of requests that were passed on: of each a client has waited for the answer.
    package var requests: Int { state.withLock { $0.requests } }

    /// The number of faults that have happened.
    package var cuts: Int { state.withLock { $0.cuts } }

    // MARK: - One connection

    private func serve(_ client: Int32) {
        defer { close(client) }
        guard !refuses, let server = try? Self.makeSocket(),
            unsafe Self.withAddress(target, { unsafe connect(server, $0, $1) }) == 0
        else { return }
        var isHeld = false
        defer { if !isHeld { close(server) } }
        var request: [UInt8] = []
        while true {
            var ends = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: server, events: Int16(POLLIN), revents: 0),
            ]
            guard unsafe poll(&ends, 2, -1) > 0 else { return }
            if ends[1].revents != 0 {
                guard let bytes = Self.receive(server), Self.send(bytes, to: client) else { return }
            }
            guard ends[0].revents != 0 else { continue }
            guard let bytes = Self.receive(client) else { return }
            request += bytes
            // The start of a connection and the end of it are passed on as they come; of a request the end is awaited.
            let isComplete =
                request.suffix(Self.sync.count) == Self.sync[...] || request.first == 0
                || request.first == UInt8(ascii: "X")
            guard isComplete || request.first == UInt8(ascii: "p") else { continue }
            switch takeFault(for: request) {
            case nil:
                if holds(mark, request), let held = takeHeld() {
                    _ = Self.send(held.request, to: held.server)
                    Self.awaitAnswer(held.server)
                    close(held.server)
                }
                state.withLock { $0.requests += 1 }
                guard Self.send(request, to: server) else { return }
                request = []
            case .dropRequest: return
            case .dropAnswer, .dropAnswerAndAll:
                _ = Self.send(request, to: server)
                Self.awaitAnswer(server)
                return
            case .delayRequest:
                isHeld = true
                state.withLock { $0.held = (server, request) }
                return
            }
        }
    }

    private var mark: [UInt8] { state.withLock { $0.mark } }

    private func takeFault(for request: [UInt8]) -> Fault? {
        state.withLock { state in
            guard let fault = state.fault, holds(state.mark, request) else { return nil }
            state.fault = nil
            state.cuts += 1
            if case .dropAnswerAndAll = fault { state.refuses = true }
            return fault
        }
    }

    private func takeHeld() -> (server: Int32, request: [UInt8])? {
        state.withLock { state in
            defer { state.held = nil }
            return state.held
        }
    }

    private func holds(_ mark: [UInt8], _ request: [UInt8]) -> Bool {
        !mark.isEmpty && request.firstRange(of: mark) != nil
    }

    // MARK: - Messages (PostgreSQL's documentation, chapter "Frontend/Backend Protocol")

    private static let socketName = ".s.PGSQL.5432"
    /// The message Sync, which ends a request.
    private static let sync = [UInt8(ascii: "S"), 0, 0, 0, 4]
    /// The start of ReadyForQuery, which ends an answer.
    private static let ready = [UInt8(ascii: "Z"), 0, 0, 0, 5]

    /// Reads what the server sends until its answer is complete, or the connection ends.
    private static func awaitAnswer(_ server: Int32) {
        var answer: [UInt8] = []
        while answer.dropLast().suffix(ready.count) != ready[...] {
            guard let bytes = receive(server) else { return }
            answer += bytes
        }
    }

    private static func receive(_ socket: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(socket, &bytes, bytes.count, 0)
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }

    private static func send(_ bytes: [UInt8], to socket: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func makeSocket() throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestServer.Failure(description: "no socket can be made") }
        return descriptor
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes.prefix($0.count - 1)) }
        return unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
