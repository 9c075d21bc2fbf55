internal import CLinux
internal import Glibc
internal import Systemd

/// Asks a server over a Unix socket, one request after another on one connection, with a time limit for each.
///
/// The server is trusted: it is the daemon, and only root can put another one in its place.
package final class HTTPClient {
    package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        package enum Cause: Hashable, Sendable {
            /// There is no socket, or no one listens.
            case absent
            /// The file's permissions do not let this user in.
            case forbidden
            case late
            case broken
        }

        package let cause: Cause
        package let description: String
    }

    /// An answer, with its body.
    package struct Answer: Sendable {
        package let status: Int
        /// With names in lower case.
        package let headers: [String: String]
        package let body: [UInt8]

        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    private let path: String
    private let milliseconds: Int
    private var connection: Descriptor?
    private var received: [UInt8] = []
    /// The limit of the request under way, in milliseconds.
    private var patience: Int64 = 0
    private var deadline: Int64 = 0

    /// - Parameter milliseconds: the longest that a request may take.
    package init(socket path: String, milliseconds: Int) {
        self.path = path
        self.milliseconds = milliseconds
    }

    /// Asks, and returns the whole answer.
    ///
    /// - Parameters:
    ///   - target: the path and the query, percent-encoded.
    ///   - limit: the longest that this request may take, in milliseconds; nil for that of the client.
    ///   - write: gets the body of an answer with status 200 piece by piece, so that it is not kept in memory; then the answer has none.
    package func ask(
        _ method: String, _ target: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        within limit: Int? = nil, write: (([UInt8]) throws -> Void)? = nil
    ) throws -> Answer {
        patience = Int64(limit ?? milliseconds)
        deadline = Self.now + patience
        do {
            try connectIfNeeded()
            var head = "\(method) \(target) HTTP/1.1\r\nHost: keyvigil\r\n"
            for (name, value) in headers { head += "\(name): \(value)\r\n" }
            if method == "POST" || !body.isEmpty { head += "Content-Length: \(body.count)\r\n" }
            try send(Array((head + "\r\n").utf8) + body)
            return try receive(write)
        } catch {
            // What is left of an answer would be taken for the next one.
            connection = nil
            received = []
            throw error
        }
    }

    private func connectIfNeeded() throws {
        guard connection == nil else { return }
        guard let address = UnixAddress(path) else {
            throw Failure(cause: .absent, description: "\(path) is no path of a socket")
        }
        let made = try Descriptor(
            socket(
                AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0),
            for: "make a socket")
        while unsafe address.withSocketAddress({ unsafe connect(made.number, $0, $1) }) != 0 {
            switch errno {
            case EINTR: continue
            // The queue of the socket is full: its server is busy or starts.
            case EAGAIN:
                guard Self.now < deadline else { throw late }
                _ = poll(nil, 0, 5)
            case EACCES, EPERM: throw Failure(cause: .forbidden, description: "\(path): \(Self.text(errno))")
            default: throw Failure(cause: .absent, description: "\(path): \(Self.text(errno))")
            }
        }
        connection = consume made
    }

    private var late: Failure {
        Failure(cause: .late, description: "\(path): no answer within \(patience) ms")
    }

    private func broken(_ reason: String) -> Failure { Failure(cause: .broken, description: "\(path): \(reason)") }

    private static func text(_ number: Int32) -> String {
        guard let text = unsafe keyvigil_error_text(number) else { return "error \(number)" }
        return unsafe String(cString: text)
    }

    private var number: Int32 { connection?.number ?? -1 }

    /// Waits until the connection is ready.
    private func wait(_ events: Int32) throws {
        let left = deadline - Self.now
        guard left > 0 else { throw late }
        var polled = pollfd(fd: number, events: Int16(events), revents: 0)
        _ = unsafe poll(&polled, 1, Int32(clamping: left))
    }

    private func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { bytes in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[sent...])
                return unsafe Glibc.send(number, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                try wait(POLLOUT)
            } else if errno != EINTR {
                throw broken(Self.text(errno))
            }
        }
    }

    /// Adds what is there to `received`.
    private func receiveMore() throws {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(number, $0.baseAddress, $0.count, 0) }
            if count > 0 {
                received += buffer.prefix(count)
                return
            }
            if count == 0 { throw broken("the daemon has closed the connection") }
            if errno == EAGAIN { try wait(POLLIN) } else if errno != EINTR { throw broken(Self.text(errno)) }
        }
    }

    private func receive(_ write: (([UInt8]) throws -> Void)?) throws -> Answer {
        var end: Int?
        while true {
            end = Self.endOfHead(received)
            if end != nil { break }
            guard received.count <= Self.longestHead else { throw broken("the answer is not understood") }
            try receiveMore()
        }
        let head = String(decoding: received.prefix(end ?? 0), as: UTF8.self)
        received.removeFirst(end ?? 0)
        var lines = head.split(separator: "\r\n")[...]
        guard let status = lines.popFirst()?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw broken("the answer is not understood")
        }
        var headers: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        guard let length = headers["content-length"].flatMap({ Int($0) }), length >= 0 else {
            throw broken("the answer has no length")
        }
        var body: [UInt8] = []
        var left = length
        while true {
            let part = Array(received.prefix(left))
            received.removeFirst(part.count)
            left -= part.count
            if let write, status == 200 { try write(part) } else { body += part }
            guard left > 0 else { break }
            try receiveMore()
        }
        if headers["connection"]?.lowercased() == "close" { connection = nil }
        return Answer(status: status, headers: headers, body: body)
    }

    private static let longestHead = 64 << 10

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        let end = Array("\r\n\r\n".utf8)
        guard bytes.count >= end.count else { return nil }
        return (0...(bytes.count - end.count)).first { start in end.indices.allSatisfy { bytes[start + $0] == end[$0] }
        }
        .map { $0 + end.count }
    }

    /// CLOCK_MONOTONIC in milliseconds.
    private static var now: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
