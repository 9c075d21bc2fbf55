import CLinux
internal import Glibc

/// The listening sockets that the service manager has passed to this process: sd_listen_fds(3).
package struct ListeningSockets: ~Copyable, Sendable {
    private var numbers: [String: Int32] = [:]

    /// The first descriptor that the manager passes.
    private static let first: Int32 = 3
    /// More are not taken.
    private static let most: Int32 = 64

    /// Takes over the descriptors. They are not passed on to programs that this process starts.
    ///
    /// - Parameters:
    ///   - environment: The variables, in which LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES are looked up.
    ///   - processID: The calling process. A child of the daemon inherits the variables, but they do not apply to it.
    package init(environment: [String: String] = ProcessEnvironment.current, processID: Int32 = getpid()) {
        guard environment["LISTEN_PID"].flatMap({ Int32($0) }) == processID,
            let count = environment["LISTEN_FDS"].flatMap({ Int32($0) }), (1...Self.most).contains(count)
        else { return }
        let names = (environment["LISTEN_FDNAMES"] ?? "").split(separator: ":", omittingEmptySubsequences: false)
        for index in 0..<count {
            let number = Self.first + index
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
            guard Int(index) < names.count, Self.isListening(number) else { continue }
            _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
            numbers[String(names[Int(index)])] = number
        }
    }

    /// Gives away the socket with a name (FileDescriptorName= of its unit); nil where none was passed.
    package mutating func take(_ name: String) -> Int32? { numbers.removeValue(forKey: name) }

    private static func isListening(_ number: Int32) -> Bool {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value == 1
    }
}
