package import Foundation

/// pgbouncer before a server, on a socket of its own.
package final class Pooler {
    package let directory: URL
    private let process: Process
    private let input: Pipe

    package static let program = "/usr/sbin/pgbouncer"
    package static let isInstalled = FileManager.default.isExecutableFile(atPath: program)

    package init(of server: TestServer, mode: String) throws {
        directory = try TestServer.makeDirectory()
        let settings = """
            [databases]
            * = host=\(server.directory.path) user=keyvigil
            [pgbouncer]
            listen_addr =
            listen_port = 5432
            unix_socket_dir = \(directory.path)
            auth_type = any
            pool_mode = \(mode)
            ignore_startup_parameters = extra_float_digits
            [users]
            """
        let script = """
            printf '%s\\n' "$2" > "$3/pgbouncer.ini"
            "$1" "$3/pgbouncer.ini" 2>&1 &
            cat > /dev/null
            kill -KILL $!
            wait
            """
        (process, input) = try TestServer.run(
            ["/bin/sh", "-c", script, "sh", Self.program, settings, directory.path], until: "process up")
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: directory)
    }
}
