import Foundation
import PostgreSQL
import PostgreSQLServer
import Testing

@Suite(
    "keyvigil fleet migrate", .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct FleetMigrateTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    func address(_ server: TestServer, _ database: String, role: String = "keyvigil") -> String {
        "host=\(server.directory.path) user=\(role) dbname=\(database)"
    }

    @Test("it says what it has made, and then that there is nothing to do")
    func again() throws {
        let server = try TestServer()
        let database = try server.makeDatabase()
        let first = try work.keyvigil("fleet", "migrate", "--database", address(server, database))
        #expect(first.status == 0 && first.errors.isEmpty, "\(first)")
        let lines = first.output.split(separator: "\n")
        #expect(lines.count == 2 && lines[0] == "made the roles keyvigil_host and keyvigil_verifier", "\(first)")
        #expect(lines[1].hasPrefix("made the schema of the fleet, version 4: "), "\(first)")
        let second = try work.keyvigil("fleet", "migrate", "--database", address(server, database))
        #expect(second.output == "nothing to do: the schema of the fleet has the version 4\n" && second.status == 0)

        let other = try server.makeDatabase()
        for before in [0, 4] {
            let outcome = try work.keyvigil("fleet", "migrate", "--json", "--database", address(server, other))
            let line = try #require(outcome.objects.first)
            #expect(line["before"] as? Int == before && line["after"] as? Int == 4, "\(outcome)")
            #expect((line["migrations"] as? [String])?.count == 4 - before, "\(outcome)")
            #expect(line["roles_made"] as? [String] == [], "\(outcome)")
        }
        #expect(try work.keyvigil("fleet", "migrate", "--quiet", "--database", address(server, other)).output == "")
    }

    @Test("what hinders it is said with what to do, and nothing is made")
    func refusals() throws {
        let server = try TestServer()
        try server.run(
            "CREATE ROLE owner LOGIN", "CREATE ROLE stranger LOGIN", "CREATE DATABASE fleet OWNER owner",
            "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
        func expect(_ database: String?, _ message: String, hint: String) throws {
            let outcome =
                try database.map { try work.keyvigil("fleet", "migrate", "--database", $0) }
                ?? work.keyvigil("fleet", "migrate")
            #expect(outcome.status == 2 && outcome.output.isEmpty, "\(outcome)")
            let lines = outcome.errors.split(separator: "\n")
            #expect(lines.first?.hasPrefix("keyvigil: error: ") == true && lines[0].contains(message), "\(outcome)")
            #expect(lines.count > 1 && lines[1].hasPrefix("hint: ") && lines[1].contains(hint), "\(outcome)")
        }
        try expect(nil, "names no database of a fleet", hint: "--database")
        try expect(
            address(server, "fleet", role: "owner"), "the role 'owner' may not make roles",
            hint: "sudo -u postgres psql -c 'CREATE ROLE keyvigil_host NOLOGIN'")
        try expect(
            address(server, "fleet", role: "stranger"), "may not make a schema in the database 'fleet'",
            hint: "connect as the owner")
        try expect(address(server, "latin"), "has the encoding 'LATIN1'", hint: "createdb -E UTF8")
        try expect(address(server, "missing"), "database \"missing\" does not exist", hint: "createdb")
        try expect("host=/nonexistent dbname=fleet", "the database cannot be reached", hint: "pg_isready")
        try expect("nonsense", "neither a URI nor a list", hint: "postgresql://")
        try expect("host=db.example.org sslmode=disable", "must prove its name", hint: "postgresql://")
        try expect("postgresql://a:geheim@db/fleet", "holds a password", hint: "passfile=")
        try expect("dbname=fleet password=geheim", "holds a password", hint: "passfile=")
        let shown = try work.keyvigil("fleet", "migrate", "--database", "postgresql://a:geheim@db/fleet")
        #expect(!shown.errors.contains("geheim"))

        try server.run("CREATE ROLE keyvigil_host", "CREATE ROLE keyvigil_verifier")
        #expect(
            try work.keyvigil("fleet", "migrate", "--database", address(server, "fleet", role: "owner")).status == 0)
        try expect(
            address(server, "fleet", role: "stranger"), "belongs to the role 'owner', not to 'stranger'",
            hint: "connect as its owner")
        var connection = try server.connect("fleet")
        try connection.run(["UPDATE keyvigil.fleet SET version = 1000"], before: soon)
        try expect(address(server, "fleet", role: "owner"), "has the schema 1000", hint: "install the version")
    }

    @Test("a pooler before the database is refused", .enabled(if: Pooler.isInstalled, "pgbouncer is not installed"))
    func pooled() throws {
        let server = try TestServer.shared.get()
        let pooler = try Pooler(of: server, mode: "transaction")
        let outcome = try work.keyvigil(
            "fleet", "migrate", "--database", "host=\(pooler.directory.path) user=keyvigil dbname=postgres")
        #expect(outcome.status == 2 && outcome.errors.contains("there is a pooler before the database"), "\(outcome)")
        #expect(outcome.errors.contains("hint: connect to the server itself"), "\(outcome)")
    }

    @Test("the configured database is used, with the password of the credential, which no message holds")
    func credential() throws {
        let server = try TestServer(
            prepare: "printf 'local all keyvigil trust\\nlocal all all scram-sha-256\\n' > \"$2/data/pg_hba.conf\"")
        try server.run(
            "CREATE ROLE owner LOGIN CREATEROLE PASSWORD 'geheim 7 words'", "CREATE DATABASE fleet OWNER owner")
        try work.configure("[fleet]\ndatabase = \"\(address(server, "fleet", role: "owner"))\"")
        func migrate(_ password: String?) throws -> Workplace.Outcome {
            var environment = ["PGPASSFILE": "/nonexistent"]
            if let password {
                try work.write(password, to: "credentials/fleet-password")
                environment["CREDENTIALS_DIRECTORY"] = work.path("credentials")
            }
            return try work.keyvigil("fleet", "migrate", environment: environment)
        }
        for wrong in [nil, "geheim 8 words"] {
            let outcome = try migrate(wrong)
            #expect(outcome.status == 2 && outcome.errors.contains("password"), "\(outcome)")
            #expect(!outcome.errors.contains("geheim"), "\(outcome)")
        }
        let outcome = try migrate("geheim 7 words\n")
        #expect(outcome.status == 0 && outcome.output.contains("made the schema of the fleet"), "\(outcome)")
    }

    @Test(
        "libpq is loaded where a fleet is configured, and nowhere else; an address that the service refuses is refused")
    func library() throws {
        let server = try TestServer.shared.get()
        try work.configure("[fleet]\ndatabase = \"\(address(server, "postgres"))\"\nmax_staleness = \"30s\"")
        func libraries(_ arguments: [String]) throws -> Workplace.Outcome {
            try work.run(
                Workplace.binaries.appending(path: "keyvigil").path, arguments + ["--config", work.configuration],
                environment: ["LD_DEBUG": "files"])
        }
        let checked = try libraries(["check-config"])
        #expect(checked.status == 0 && checked.errors.contains("libpq.so.5"))
        #expect(checked.errors.contains("'fleet.max_staleness' is 30s"))
        #expect(try libraries(["fleet", "migrate", "--database", "host=/nonexistent"]).errors.contains("libpq.so.5"))
        for (wrong, reason) in [("sslmode=disable", "must prove its name"), ("nonsense=1", "neither a URI nor a list")]
        {
            try work.configure("[fleet]\ndatabase = \"host=db.example.org \(wrong)\"")
            let refused = try work.keyvigil("check-config")
            #expect(refused.status == 2 && refused.output.isEmpty, "\(refused)")
            #expect(refused.errors.contains("keyvigil.toml:4: ") && refused.errors.contains(reason), "\(refused)")
        }
        try work.configure("")
        for verb in [["create", "billing"], ["check-config"]] {
            let ran = try libraries(verb)
            #expect(ran.status == 0 && ran.errors.contains("libsqlite3") && !ran.errors.contains("libpq"))
        }
    }
}
