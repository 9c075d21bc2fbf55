package import Foundation
package import PostgreSQL
import Synchronization

/// A PostgreSQL of the tests' own, on a Unix socket in a folder of its own. It ends with the value, or with the process of the tests.
package final class TestServer: Sendable {
    package let directory: URL
    private let process: Process
    private let input: Pipe
    private let network: TestNetwork?
    /// The database that those of fleets are copies of, once there is one.
    let fleetTemplate = Mutex<String?>(nil)

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Where Debian's packages install the programs: the latest version.
    package static let binaries: URL? = {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        return versions.compactMap(Int.init).max().map { URL(filePath: "/usr/lib/postgresql/\($0)/bin") }
    }()

    package static let isInstalled = binaries != nil

    /// One for all tests that leave it as it is.
    package static let shared = Result { try TestServer() }

    /// - Parameters:
    ///   - copy: a server of which this one is a standby; nil: a new database.
    ///   - prepare: lines of a shell that run before the server starts; `$2` is its folder.
    ///   - options: of postgres(1), more than it has by default.
    ///   - network: where its machine is; nil: it is this one.
    package init(
        copyOf copy: TestServer? = nil, prepare: String = "", options: String = "", in network: TestNetwork? = nil
    ) throws {
        directory = try Self.makeDirectory()
        self.network = network
        guard let binaries = Self.binaries else { throw Failure(description: "PostgreSQL is not installed") }
        let make =
            copy.map { #""$1/pg_basebackup" -h "\#($0.directory.path)" -U keyvigil -D "$2/data" -c fast -R --no-sync"# }
            ?? #""$1/initdb" -D "$2/data" -U keyvigil -A trust --no-sync --no-instructions -E UTF8 --locale=C > /dev/null"#
        let script = """
            set -e
            \(make)
            \(prepare)
            "$1/pg_ctl" start -s -w -D "$2/data" -l "$2/log" -o "-k '$2' -c listen_addresses= -c fsync=off \
            -c wal_level=replica -c max_connections=50 \(options)"
            echo ready
            cat > /dev/null
            "$1/pg_ctl" stop -s -m immediate -D "$2/data"
            rm -rf "$2"
            """
        (process, input) = try Self.run(
            ["/bin/sh", "-c", script, "sh", binaries.path, directory.path], in: network, until: "ready")
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: directory)
    }

    /// The user of the server: PostgreSQL refuses to run as root.
    private static let nobody = 65534

    package static func makeDirectory() throws -> URL {
        let directory = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
            .appending(path: "kv-pg-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        if getuid() == 0 {
            try FileManager.default.setAttributes(
                [.ownerAccountID: nobody, .groupOwnerAccountID: nobody], ofItemAtPath: directory.path)
        }
        return directory
    }

    /// What a server runs before it is started: an authority makes it a certificate for a name. `other.crt` is of an authority that is not
    /// the server's, and has the same name.
    package static func certificate(for name: String) -> String {
        """
        cd "$2/data"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority \
            -keyout authority.key -out authority.crt 2> /dev/null
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=\(name) \
            -keyout server.key -out server.csr 2> /dev/null
        printf 'subjectAltName=DNS:\(name)\\n' > names
        openssl x509 -req -in server.csr -CA authority.crt -CAkey authority.key -CAcreateserial -days 2 -extfile names \
            -out server.crt 2> /dev/null
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority \
            -keyout other.key -out other.crt 2> /dev/null
        cd /
        """
    }

    /// Starts a program, as a user without rights, and waits for a line of its output.
    ///
    /// - Parameter network: on whose server's machine it runs; nil: on this one.
    package static func run(
        _ command: [String], in network: TestNetwork? = nil, until line: String
    ) throws -> (Process, Pipe) {
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        let unprivileged = ["/usr/bin/setpriv", "--reuid=\(nobody)", "--regid=\(nobody)", "--clear-groups", "--"]
        let arguments = (network?.launcher ?? []) + (getuid() == 0 ? unprivileged + command : command)
        process.executableURL = URL(filePath: arguments[0])
        process.arguments = Array(arguments.dropFirst())
        process.currentDirectoryURL = URL(filePath: "/")
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        var seen = Data()
        while !String(decoding: seen, as: UTF8.self).contains(line) {
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else {
                throw Failure(description: "\(command) ended: \(String(decoding: seen, as: UTF8.self))")
            }
            seen += more
        }
        return (process, input)
    }

    /// The address of a database, as the role that owns all of them.
    package func address(_ database: String = "postgres", host: String? = nil, role: String = "keyvigil") throws
        -> Address
    {
        try Address("host=\(host ?? directory.path) user=\(role) dbname=\(database)")
    }

    package func connect(
        _ database: String = "postgres", role: String = "keyvigil", known: ServerIdentity? = nil
    ) throws -> Connection {
        try Connection.open(address(database, role: role), known: known, before: .after(.seconds(30)))
    }

    /// Makes a database of the test's own, and returns its name.
    ///
    /// - Parameter options: of CREATE DATABASE.
    package func makeDatabase(_ options: String = "") throws -> String {
        let name = "d" + UUID().uuidString.lowercased().filter { $0 != "-" }
        let statement = Statement(stringLiteral: "CREATE DATABASE \(name) \(options)")
        var connection = try connect()
        try connection.run([statement], before: soon)
        return name
    }

    /// Runs statements, each in a transaction of its own.
    package func run(_ statements: Statement...) throws {
        var connection = try connect()
        for statement in statements { try connection.run([statement], before: soon) }
    }

    /// Runs a program of PostgreSQL to its end, as the server's user.
    package func run(program name: String, _ arguments: String...) throws { try run(program: name, arguments) }

    package func run(program name: String, _ arguments: [String]) throws {
        try Self.run(program: name, arguments).waitUntilExit()
    }

    private static func run(program name: String, _ arguments: [String]) throws -> Process {
        guard let program = binaries?.appending(path: name).path else {
            throw Failure(description: "PostgreSQL is not installed")
        }
        return try run(["/bin/sh", "-c", "\"$@\" && echo done", "sh", program] + arguments, until: "done").0
    }

    /// Ends the server as a power cut does.
    package func crash() throws {
        try run(program: "pg_ctl", "stop", "-s", "-m", "immediate", "-D", data)
    }

    /// Starts the server after it was ended, with the options that it had, and waits until it takes changes.
    package func startAgain() throws {
        // Its end is not awaited: the server has the descriptor by which Foundation would see it.
        _ = try Self.run(
            program: "pg_ctl", ["restart", "-s", "-w", "-D", data, "-l", directory.appending(path: "log").path])
    }

    /// Stops the server as a machine does that hangs: its connections stay, and nothing answers.
    ///
    /// - Parameter connections: whether those that there are stop, too, not only the process that accepts others.
    package func pause(connections: Bool = true) throws { try signal(SIGSTOP, connections: connections) }

    /// Lets it go on.
    package func resume() throws { try signal(SIGCONT, connections: true) }

    private func signal(_ number: Int32, connections: Bool) throws {
        let file = try String(contentsOfFile: data + "/postmaster.pid", encoding: .utf8)
        guard let main = Int32(file.prefix { $0.isNumber }) else {
            throw Failure(description: "the server does not run")
        }
        kill(main, number)
        guard connections else { return }
        let children = try String(contentsOfFile: "/proc/\(main)/task/\(main)/children", encoding: .utf8)
        for child in children.split(separator: " ").compactMap({ Int32($0) }) { kill(child, number) }
    }

    private var data: String { directory.appending(path: "data").path }

    /// Promotes a standby, and waits until it takes changes.
    package func promote() throws {
        try run(program: "pg_ctl", "promote", "-s", "-w", "-D", data)
    }
}

/// Far away: a test that waits for it has failed.
package var soon: Deadline { .after(.seconds(30)) }
