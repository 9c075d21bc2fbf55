internal import Foundation
import Synchronization

/// Two machines with a cable between them, as network namespaces: `10.0.0.1`, where a server is, and `10.0.0.2`, where a host of a fleet
/// is. They end with the value, or with the process of the tests.
package final class TestNetwork: Sendable {
    private let process: Process
    private let input: Pipe
    private let output: Pipe
    /// The processes that keep the namespaces.
    private let machines: (server: Int32, host: Int32)

    /// The address of the server's machine.
    package static let server = "10.0.0.1"

    /// Whether this process may make namespaces, and has ip(8): root on a machine of its own has and may.
    package static let isPossible = getuid() == 0 && (try? TestNetwork()) != nil

    /// Why a test is skipped where it is not.
    package static let absence = "namespaces of networks cannot be made: that takes root, and iproute2 (make test-deps)"

    private static let script = """
        set -e
        own=$(readlink /proc/self/ns/net)
        unshare --net sleep infinity &
        host=$!
        trap 'kill -KILL "$host"' EXIT
        while [ "$(readlink "/proc/$host/ns/net")" = "$own" ]; do sleep 0.01; done
        ip link set lo up
        ip link add eth0 type veth peer name eth0 netns "$host"
        ip addr add 10.0.0.1/24 dev eth0
        ip link set eth0 up
        nsenter --net="/proc/$host/ns/net" sh -c \
            'ip link set lo up; ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up'
        echo "ready $$ $host"
        while read -r state; do ip link set eth0 "$state"; echo "done"; done
        """

    package init() throws {
        process = Process()
        (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(filePath: "/usr/bin/unshare")
        process.arguments = ["--net", "/bin/sh", "-c", Self.script]
        process.currentDirectoryURL = URL(filePath: "/")
        (process.standardInput, process.standardOutput) = (input, output)
        process.standardError = FileHandle.nullDevice
        try process.run()
        let numbers = Self.line(output).split(separator: " ").compactMap { Int32($0) }
        guard numbers.count == 2 else { throw TestServer.Failure(description: "no network can be made") }
        machines = (numbers[0], numbers[1])
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    private static func line(_ output: Pipe) -> String {
        var seen = Data()
        while !seen.contains(UInt8(ascii: "\n")) {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { break }
            seen += more
        }
        return String(decoding: seen, as: UTF8.self).trimmingCharacters(in: .newlines)
    }

    /// Pulls the cable: what is sent is lost, and no one hears of it.
    package func cut() { set("down") }

    /// Plugs the cable in again.
    package func restore() { set("up") }

    private func set(_ state: String) {
        try? input.fileHandleForWriting.write(contentsOf: Data("\(state)\n".utf8))
        _ = Self.line(output)
    }

    /// The start of a command that runs on the server's machine.
    var launcher: [String] { ["/usr/bin/nsenter", "--net=\(Self.path(of: machines.server))", "--"] }

    private static func path(of process: Int32) -> String { "/proc/\(process)/ns/net" }

    /// Runs `body` on the host's machine: the connections that it makes are from there. It starts no thread, which would stay there.
    package func onHost<Value>(_ body: () throws -> Value) throws -> Value {
        let own = try Self.open("/proc/thread-self/ns/net")
        defer { close(own) }
        let host = try Self.open(Self.path(of: machines.host))
        defer { close(host) }
        try Self.enter(host)
        defer {
            if Self.setns(own, 0) != 0 { fatalError("the thread cannot leave the namespace") }
        }
        return try body()
    }

    private static func open(_ path: String) throws -> Int32 {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw TestServer.Failure(description: "\(path) cannot be opened") }
        return descriptor
    }

    private static func enter(_ namespace: Int32) throws {
        guard setns(namespace, 0) == 0 else {
            throw TestServer.Failure(description: "a namespace cannot be entered")
        }
    }

    /// setns(2), which Swift's module of the C library does not have. Its second parameter is 0: a namespace of any kind.
    ///
    /// Unsafe: the type is that of the manual page, and the library is never unloaded.
    private static let setns: @convention(c) (Int32, Int32) -> Int32 = unsafe unsafeBitCast(
        dlsym(nil, "setns"), to: (@convention(c) (Int32, Int32) -> Int32).self)
}
