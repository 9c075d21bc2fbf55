import Foundation
import Testing

@Suite("Sources")
struct SourceSettingsTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    @Test("a source that there is none of is refused with file, line and the nearest one")
    func refused() throws {
        try work.configure("[scan]\nsources = [\"etc\", \"historys\"]")
        let checked = try work.keyvigil("check-config")
        #expect(checked.status == 2)
        #expect(
            checked.errors.contains("'historys' is no source") && checked.errors.contains("histories"),
            "\(checked.errors)")
        #expect(checked.errors.contains("keyvigil.toml:4: "))
    }

    /// Scans the configured sources while something of the workplace is in the place of something of the system.
    private func scan(with name: String, inPlaceOf path: String) throws -> Workplace.Outcome {
        try work.run(
            "/usr/bin/unshare",
            [
                "--mount", "/bin/sh", "-c",
                "mount --bind \"$1\" \"$2\" && exec \"$3\" scan --json --config \"$4\"", "sh", work.path(name), path,
                Workplace.binaries.appending(path: "keyvigil").path, work.configuration,
            ])
    }

    @Test("histories are those of all users of passwd, wherever their homes are", .enabled(if: getuid() == 0))
    func homes() throws {
        try work.configure("[scan]\nsources = [\"histories\"]")
        let secret = try #require(try work.create("billing")["secret"] as? String)
        try work.write("\\password \(secret)\n", to: "an [odd] home/.psql_history")
        let passwd = try String(contentsOfFile: "/etc/passwd", encoding: .utf8)
        try work.write(passwd + "db:x:4242:4242::\(work.path("an [odd] home"))/:/bin/sh\n", to: "passwd")
        let found = try scan(with: "passwd", inPlaceOf: "/etc/passwd")
        #expect(found.status == 1, "\(found.errors)")
        #expect(found.output.contains(".psql_history") && !found.output.contains(secret), "\(found.output)")
    }

    @Test("units are searched with the files that they take variables from", .enabled(if: getuid() == 0))
    func environmentFiles() throws {
        try work.configure("[scan]\nsources = [\"units\"]")
        let secret = try #require(try work.create("billing")["secret"] as? String)
        for name in ["env", "env2", "shop-a.env", "other.env", "commented"] {
            try work.write("TOKEN=\(secret)\n", to: "var/\(name)")
        }
        let folder = work.path("var")
        try work.write(
            """
            [Service]
            Environment=A=1
            EnvironmentFile=\(folder)/env
            EnvironmentFile = \\
            # between
            -\(folder)/env2
            #EnvironmentFile=\(folder)/commented
            EnvironmentFile=-/nonexistent
            """, to: "units/a.service")
        try work.write("[Service]\nEnvironmentFile=-\(folder)/shop-%i.env\n", to: "units/b@.service.d/10.conf")
        let found = try scan(with: "units", inPlaceOf: "/etc/systemd/system")
        #expect(found.status == 1, "\(found.errors)")
        let places = found.objects.compactMap { $0["repository"] as? String }
        #expect(Set(places) == ["\(folder)/env", "\(folder)/env2", "\(folder)/shop-a.env"], "\(found.output)")
    }

    @Test("environments and arguments of processes are searched to their end, and named by their program")
    func processes() throws {
        let secret = try #require(try work.create("billing")["secret"] as? String)
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        // Longer than what the first piece of a file holds.
        process.environment = ["A": String(repeating: "x", count: 100_000), "TOKEN": secret]
        process.arguments = ["-c", "read -r line", "name", "--token=\(secret)"]
        let input = Pipe()
        process.standardInput = input
        try process.run()
        defer {
            try? input.fileHandleForWriting.close()
            process.waitUntilExit()
        }
        let scan = try work.keyvigil("scan", "/proc", "--json")
        let paths = scan.objects.filter { $0["grade"] as? String == "confirmed" }.compactMap { $0["path"] as? String }
        #expect(Set(paths).isSuperset(of: ["sh/environ", "sh/cmdline"]), "\(paths)")
        #expect(!scan.output.contains(secret) && !scan.errors.contains(secret))
        let one = try work.keyvigil("scan", "/proc/\(process.processIdentifier)/environ", "--json")
        #expect(one.status == 1 && one.objects.first?["grade"] as? String == "confirmed", "\(one.errors)")
    }
}
