import Foundation
import Glibc
import Testing

/// A Unix socket that listens, in a folder of its own.
final class ListeningPlace {
    let path: String
    let descriptor: Int32

    init() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/keyvigil-http-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        path = folder + "/s"
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = Self.address(path)
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0 && listen(descriptor, 1024) == 0)
    }

    // The server, which lives on, holds the descriptor.
    deinit { try? FileManager.default.removeItem(atPath: String(path.dropLast(2))) }

    private static func address(_ path: String) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        return address
    }

    /// A connection without a word yet.
    func connect() throws -> RawConnection {
        let made = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(path)
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(made, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(status == 0)
        return RawConnection(descriptor: made)
    }
}

/// A client that need not keep to the protocol.
final class RawConnection {
    private let descriptor: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
        // What does not come at all fails the test.
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// - Returns: whether all was taken.
    @discardableResult
    func send(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Waits, without reading, until the server has closed the connection.
    func waitForEnd() throws {
        // POLLRDHUP of poll(2), a GNU extension.
        var polled = pollfd(fd: descriptor, events: 0x2000, revents: 0)
        let ready = unsafe poll(&polled, 1, 60_000)
        try #require(ready == 1)
    }

    /// What the server sends until it closes the connection, or that many bytes; nil if it does not close it.
    func receive(upTo count: Int = .max) -> String? {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while received.count < count {
            let got = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
            if got == 0 || got < 0 && errno == ECONNRESET { break }
            guard got > 0 else { return nil }
            received += buffer.prefix(got)
        }
        return String(decoding: received, as: UTF8.self)
    }
}
