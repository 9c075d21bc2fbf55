import Foundation
import KeyStore
import Keys
import Testing

@testable import Keyvigil

@Suite("The configuration")
struct ConfigurationTests {
    func load(_ text: String) throws -> Configuration {
        var loaded = LoadedConfiguration()
        try loaded.apply(Array(text.utf8), file: "k.toml")
        return loaded.configuration
    }

    /// The shipped file with every default taken in.
    func shippedText() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "config/keyvigil.toml"), encoding: .utf8)
    }

    @Test("the shipped file changes nothing, and names every default as it is")
    func shipped() throws {
        let text = try shippedText()
        #expect(try load(text) == Configuration())
        // A setting is "#name = value"; an explanation begins with "# ".
        let active = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("#") && !line.hasPrefix("# ") ? line.dropFirst() : line
        }.joined(separator: "\n")
        var expected = Configuration()
        expected.store.pepper = "/var/lib/keyvigil/pepper"
        // A rule for some place is an example.
        var rule = Configuration.PlaceRule(path: "/srv/git/public.git")
        rule.onLeak = .revoke
        rule.ignored = true
        rule.unregistered = false
        expected.scan.places = [rule]
        // Otherwise as it is for scans.
        expected.hooks.unregistered = true
        expected.scan.decoy = "/srv/keyvigil-decoy"
        expected.fleet.database = "postgresql:///keyvigil"
        expected.fleet.host = "web1"
        #expect(try load(active) == expected)
        #expect(expected.store.pepperPath == Configuration().store.pepperPath)
    }

    @Test("the shipped file names every setting there is")
    func complete() throws {
        let text = try shippedText()
        let tables = [
            "store", "keys", "expiry", "policy", "rotation", "hygiene", "issuers", "scan", "alerts", "daemon",
            "fleet",
        ]
        for table in tables {
            // The reader lists the valid settings of a table when it refuses one that is far from all of them.
            let error = #expect(throws: InputError.self) { try load("[\(table)]\nzzzzzzzzzzzzzzzzzzzzzzzz = 1") }
            let names = try #require(error?.hint?.split(separator: ": ").last).split(separator: ", ")
            for name in names {
                let isThere = text.contains("\n#\(name) = ") || text.contains("\n#[[\(table).\(name)]]\n")
                #expect(isThere, "\(table).\(name)")
            }
        }
    }

    @Test(
        "a mistake is refused with file, line and what to do",
        arguments: [
            (
                "[scan]\nrepositoris = []", "k.toml:2: unknown setting 'scan.repositoris'",
                "did you mean 'repositories'?"
            ),
            ("\n\n[scna]\n", "k.toml:3: unknown table 'scna'", "did you mean 'scan'?"),
            ("# x\nbrand = \"kv\"", "k.toml:2: unknown setting 'brand'", nil),
            ("[scan]\nthreads = \"2\"", "k.toml:2: 'scan.threads' must be a whole number", nil),
            ("[scan]\nthreads = 0", "k.toml:2: 'scan.threads' is 0", "give a number from 1 to 64"),
            (
                "[scan]\n\nrepositories = [\"rel/path\"]",
                "k.toml:3: 'scan.repositories': 'rel/path' is not an absolute path", nil
            ),
            (
                "[scan]\nrepositories = \"/a\"",
                "k.toml:2: 'scan.repositories' must be a list of texts, such as [\"a\", \"b\"]", nil
            ),
            ("[rotation]\nevery = \"0d\"", "k.toml:2: 'rotation.every': 0s is too short", "give at least 1s"),
            ("[scan]\ninterval = \"0s\"", "k.toml:2: 'scan.interval': 0s is too short", "give at least 1s"),
            ("[policy]\nlongest_lifetime = \"0d\"", "k.toml:2: 'policy.longest_lifetime': 0s is too short", nil),
            ("[keys]\nbrand = \"K\"", "k.toml:2: 'keys.brand': the brand 'K' cannot begin a secret", nil),
            (
                "[expiry]\nnotices = [\n  \"60d\",\n  \"soon\",\n]",
                "k.toml:4: 'expiry.notices': 'soon' is not a period", nil
            ),
            ("[rotation]\noverdue_after = \"-1d\"", "k.toml:2: 'rotation.overdue_after': '-1d' is not a period", nil),
            ("[scan]\non_leak = \"pray\"", "k.toml:2: 'scan.on_leak': 'pray' is no answer to a leak", nil),
            ("[scan]\nplace = 3", "k.toml:2: 'scan.place' must be a list of tables", nil),
            (
                "[[scan.place]]\npath = \"/a\"\n\n[[scan.place]]\npath = \"/b\"\nonleak = \"alert\"",
                "k.toml:6: unknown setting 'scan.place[1].onleak'", "did you mean 'on_leak'?"
            ),
            ("[[scan.place]]\non_leak = \"alert\"", "k.toml:1: 'scan.place[0].path' is missing", nil),
            ("scan = 3", "k.toml:1: 'scan' must be a table", nil),
            ("[fleet]\nhost = \"web1:/a\"", "k.toml:2: 'fleet.host': 'web1:/a' is not the name of a host", nil),
            ("[fleet]\nalert_hosts = [\n\"web1\",\n\"-\"]", "k.toml:4: 'fleet.alert_hosts': '-' is not the name", nil),
            ("[fleet]\nmax_staleness = \"25h\"", "k.toml:2: 'fleet.max_staleness': 1d1h is too long", nil),
            ("[fleet]\ndatabase = \"db.example.org\"", "k.toml:2: 'fleet.database': it is neither a URL", nil),
            ("[scan]\nthreads = ", "k.toml:2: ", nil),
            ("[scan]\n[scan]\n", "k.toml:2: ", nil),
            ("\n[#a]\n", "k.toml:2: expected a name", nil),
            ("\u{FEFF}[\u{E9}]", "k.toml:1: expected a name", nil),
            ("[scan]\n [[ [x]]", "k.toml:2: expected a name", nil),
            ("[scan\n]", "k.toml:1: the name of a table must be closed", nil),
            ("[scan]\nrepositories = [\n  \"/a\",\n  }", "k.toml:4: expected a value", nil),
            ("[scan]\nrepositories = [\"/a\" \"/b\"]", "k.toml:2: expected ',' or ']' in a list", nil),
            ("[scan]\ndecoy = \"/a", "k.toml:2: a text is not closed", nil),
            ("[scan]\ndecoy = '''\n\n", "k.toml:2: a text is not closed", nil),
            ("[scan]\nthreads = 2 3", "k.toml:2: expected the end of the line", nil),
            ("[scan]\nthreads 2", "k.toml:2: expected '=' after the name of a setting, at column 9", nil),
            ("[scan]\nthreads = 02", "k.toml:2: expected a value", nil),
            ("# \u{7}", "k.toml:1: a comment holds a control character", nil),
            (
                "a = " + String(repeating: "[", count: 10_000),
                "k.toml:1: too many tables or lists within each other, at column 68", nil
            ),
            ("[scan]\nplace = [{ path = \"/a\" on_leak = 1 }]", "k.toml:2: expected ',' or '}' in a table", nil),
        ] as [(String, String, String?)])
    func mistakes(text: String, message: String, hint: String?) {
        let error = #expect(throws: InputError.self) { try load(text) }
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
        if let hint { #expect(error?.hint == hint) }
    }

    @Test("settings take effect")
    func settings() throws {
        let configuration = try load(
            """
            [store]
            path = "/srv/k.sqlite"
            [keys]
            brand = "acme"
            default_expiry = "never"
            overlap = "1d"
            [expiry]
            notices = ["1d", "14d"]
            [hygiene]
            unused_after = "never"
            [scan]
            repositories = ["/srv/git/*.git"]
            interval = "never"
            """)
        #expect(configuration.store.path == "/srv/k.sqlite" && configuration.store.pepperPath == "/srv/pepper")
        #expect(configuration.keys.brand == "acme" && configuration.keys.defaultExpiry == .never)
        #expect(configuration.lifecycle.expiryNotices == [.days(14), .days(1)])
        #expect(configuration.lifecycle.unusedAfter == nil && configuration.scan.interval == nil)
    }

    @Test(
        "an address of a fleet's database with a password is refused, and not a letter of it is quoted",
        arguments: [
            "postgresql://web1:geheim@db.example.org/keyvigil", "postgres://web1:ge%2Fheim@/keyvigil",
            "postgresql://web1:ge/heim@db/keyvigil", "postgresql:///keyvigil?password=geheim",
            "postgresql:///keyvigil?user=web1&p%61ssword=geheim", "postgresql:///keyvigil?sslpassword=geheim",
            "host=db password=geheim", "password = geheim host=db", "user='web1'password='geheim'",
            "sslpassword=geheim",
        ])
    func passwords(address: String) {
        let error = #expect(throws: InputError.self) { try load("[store]\n[fleet]\ndatabase = \"\(address)\"") }
        #expect(error?.message == "k.toml:3: 'fleet.database': it holds a password")
        #expect(error?.hint?.contains("fleet-password") == true && error?.hint?.contains("heim") == false)
    }

    @Test("the settings of a fleet take effect, with addresses that hold no password")
    func fleet() throws {
        #expect(try load("[fleet]").fleet == Configuration().fleet)
        for address in [
            "postgresql:///keyvigil",
            "postgresql://web1@db1.example.org:5432,db2.example.org/keyvigil?passfile=/etc/pass",
            "postgresql://[::1]:5432/keyvigil?user=web1@example",
            "host=/run/postgresql dbname=keyvigil passfile=/etc/pass",
            "user=password",
        ] {
            #expect(try load("[fleet]\ndatabase = \"\(address)\"").fleet.database == address)
        }
        let fleet = try load(
            """
            [fleet]
            database = "postgresql:///keyvigil"
            host = "web1.example.org"
            max_staleness = "30s"
            alert_hosts = ["web2", "web1"]
            """
        ).fleet
        #expect(fleet.host == "web1.example.org" && fleet.maxStaleness == .seconds(30))
        #expect(fleet.alertHosts == ["web2", "web1"])
        #expect(fleet.warning?.message.contains("wakes up more often") == true)
        let strict = try load("[fleet]\ndatabase = \"dbname=keyvigil\"\nmax_staleness = \"0\"").fleet
        #expect(strict.maxStaleness == .zero && strict.warning?.message.contains("each verification asks") == true)
        #expect(Configuration().fleet.warning == nil && Configuration.FleetSettings().maxStaleness == .seconds(900))
    }

    @Test("what holds for some places only is found by path and by pattern, and a later rule wins")
    func places() throws {
        let scan = try load(
            """
            [[scan.place]]
            path = "/srv/git/*.git"
            on_leak = "revoke"
            [[scan.place]]
            path = "/srv/git/quiet.git"
            on_leak = "alert"
            """
        ).scan
        func answer(_ path: String) -> String { scan.onLeak(in: ScanTarget(path: path)).rawValue }
        #expect(answer("/srv/git/shop.git") == "revoke" && answer("/srv/git/quiet.git/") == "alert")
        #expect(answer("/srv/git/deep/shop.git") == "alert" && answer("/srv/shop") == "alert")
    }

    @Test("files in conf.d are read in order and replace what they set; a mistake in one refuses all")
    func folder() throws {
        let workplace = try Workplace("[scan]\nthreads = 1")
        try workplace.write("[scan]\nthreads = 3\nrepositories = [\"/a\"]", to: "conf.d/20.toml")
        try workplace.write("[scan]\nthreads = 4", to: "conf.d/10.toml")
        try workplace.write("nonsense", to: "conf.d/notes.txt")
        let loaded = try LoadedConfiguration.load(workplace.configuration, required: true)
        #expect(loaded.configuration.scan.threads == 3 && loaded.configuration.scan.repositories == ["/a"])
        #expect(loaded.files.map { URL(filePath: $0).lastPathComponent } == ["keyvigil.toml", "10.toml", "20.toml"])
        try workplace.write("[scan]\nthread = 4", to: "conf.d/30.toml")
        let error = #expect(throws: InputError.self) {
            try LoadedConfiguration.load(workplace.configuration, required: true)
        }
        #expect(error?.message.contains("conf.d/30.toml:2: unknown setting 'scan.thread'") == true)
    }

    @Test("a folder of profiles that is not there, and one of further files that cannot be listed, are refused")
    func lostFolders() throws {
        let workplace = try Workplace("[issuers]\nfolders = [\"/nonexistent/isuers\"]")
        func refusal() throws -> String {
            let error = #expect(throws: InputError.self) {
                try LoadedConfiguration.load(workplace.configuration, required: true)
            }
            return error?.message ?? ""
        }
        let lost = try refusal()
        #expect(
            lost.contains("keyvigil.toml:4: 'issuers.folders': there is no folder '/nonexistent/isuers'"),
            "\(lost)")
        try workplace.configure("")
        try workplace.write("this is no folder", to: "conf.d")
        #expect(try refusal().contains("conf.d cannot be read"))
    }

    @Test("a missing file is an error only where one was asked for")
    func missing() throws {
        #expect(throws: InputError.self) { try LoadedConfiguration.load("/nonexistent/k.toml", required: true) }
        #expect(
            try LoadedConfiguration.load("/nonexistent/k.toml", required: false).configuration == Configuration())
    }
}
