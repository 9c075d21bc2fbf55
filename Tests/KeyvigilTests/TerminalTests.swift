import Foundation
import Keys
import Testing

@testable import Keyvigil

/// How the tool feels on a terminal: widths, dates, colours, the pager, and where options may be.
@Suite("On a terminal")
struct TerminalTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    /// Runs the tool on a terminal of this width, with these keystrokes; returns what the terminal shows, without colours.
    private func onTerminal(
        _ arguments: String, columns: Int = 80, keys: String = "", environment: [String: String] = [:]
    ) throws -> (status: Int32, text: String) {
        let tool = Workplace.binaries.appending(path: "keyvigil").path
        let script = "stty cols \(columns) rows 24; exec \(tool) \(arguments) --config \(work.configuration)"
        let outcome = try work.run(
            "/usr/bin/script", ["-q", "-e", "-c", script, "/dev/null"], input: keys,
            environment: ["TERM": "xterm", "KEYVIGIL_PAGER": "cat", "TZ": "UTC", "NO_COLOR": ""].merging(environment) {
                $1
            })
        return (outcome.status, String(String.UnicodeScalarView(outcome.output.unicodeScalars.filter { $0 != "\r" })))
    }

    @Test("a list fits 80 columns whatever is in it, and a pipe has everything")
    func width() throws {
        let long = String(repeating: "请求服务", count: 12)
        for (name, owner) in [(long, "ana"), ("émile", "a-team-with-a-rather-long-name"), ("🔑 key", "ben")] {
            _ = try work.create(name, "--owner", owner, "--permission", "read")
        }
        let shown = try onTerminal("list --color never").text.split(separator: "\n")
        #expect(shown.count == 4, "\(shown)")
        for line in shown { #expect(DisplayWidth.columns(of: String(line)) <= 80, "\(line)") }
        #expect(shown[0].hasPrefix("NAME"))
        // Columns are below each other by what a terminal shows, not by characters.
        let starts = shown.map { line in
            let found = line.range(of: "active") ?? line.range(of: "STATUS")
            return found.map { DisplayWidth.columns(of: String(line[..<$0.lowerBound])) }
        }
        #expect(Set(starts).count == 1, "\(shown)")
        let piped = try work.keyvigil("list").output
        #expect(piped.contains(long) && piped.contains("a-team-with-a-rather-long-name") && piped.contains("PREFIX"))
        #expect(try onTerminal("list", columns: 300).text.contains(long))
    }

    @Test("a list of findings has a header, and names as they are")
    func findings() throws {
        let secret = try #require(try work.create("请求服务 🔑", "--owner", "Émile")["secret"] as? String)
        try work.write("TOKEN=\(secret)\n", to: "leak/env")
        #expect(try work.keyvigil("scan", work.path("leak")).status == 1)
        let lines = try onTerminal("findings --color never", columns: 160).text.split(separator: "\n")
        #expect(lines.first?.hasPrefix("NO  KEY") == true && lines.first?.contains("OWNER") == true, "\(lines)")
        #expect(lines.last?.contains("请求服务 🔑  Émile  current secret") == true, "\(lines)")
        let zone = ["TZ": "Asia/Kathmandu"]
        #expect(
            try work.keyvigil("incidents", "show", "1", environment: zone).output.contains(
                #/detected +\S+ \S+ \+0545\n/#))
    }

    @Test(
        "widths are those of a terminal",
        arguments: [
            ("plain", 5), ("请求", 4), ("e\u{301}", 1), ("é", 1), ("🔑", 2), ("ｱ", 1), ("", 0),
        ])
    func columns(_ text: String, _ width: Int) {
        #expect(DisplayWidth.columns(of: text) == width)
        #expect(DisplayWidth.columns(of: DisplayWidth.fitted(text + text + text, to: 4)) <= 4)
    }

    @Test("dates are local and say how far off they are; --utc prints what scripts read")
    func dates() throws {
        _ = try work.create("billing", "--expires", "90d", "--permission", "read")
        let zone = ["TZ": "Asia/Kathmandu"]
        let local = try work.keyvigil("show", "billing", environment: zone).output
        #expect(local.contains("+0545 (in 90 days)"), "\(local)")
        let utc = try work.keyvigil("show", "billing", "--utc", environment: zone).output
        #expect(utc.contains("Z (in 90 days)") && !utc.contains("+0545"), "\(utc)")
        #expect(try work.keyvigil("list", environment: zone).output.contains("in 90 days"))
    }

    @Test(
        "a distance is rounded, in a unit that is fine enough",
        arguments: [
            (900, "now"), (1400, "in 1 second"), (89_000, "in 89 seconds"), (90_000, "in 2 minutes"),
            (-5_340_000, "89 minutes ago"), (-5_400_000, "2 hours ago"), (125_000_000, "in 35 hours"),
            (129_600_000, "in 2 days"), (7_775_999_000, "in 90 days"),
        ])
    func distances(_ milliseconds: Int, _ text: String) {
        let now = Instant(milliseconds: 1_800_000_000_000)
        let other = Instant(milliseconds: now.milliseconds + Int64(milliseconds))
        #expect(DateText.distance(to: other, from: now) == text)
    }

    @Test("times back from now are written as in git and systemd")
    func moments() throws {
        let now = try Instant(parsing: "2027-03-10T12:00:00Z")
        let written: [(String, String)] = [
            ("2h", "2027-03-10T10:00:00Z"), ("-2h", "2027-03-10T10:00:00Z"), ("2 hours ago", "2027-03-10T10:00:00Z"),
            ("1 day ago", "2027-03-09T12:00:00Z"), ("1 week ago", "2027-03-03T12:00:00Z"), ("now", "\(now)"),
        ]
        for (text, instant) in written { #expect(try "\(Moment.past(text, at: now))" == instant, "\(text)") }
        let today = try Moment.past("today", at: now)
        #expect(today <= now && today == LocalTime.startOfDay(of: now))
        #expect(try Moment.past("yesterday", at: now) < today)
        #expect(try Moment.past("2027-03-09", at: now) == Moment.past("2027-03-09 00:00", at: now))
        for text in ["2 hours", "ago", "x ago", "2 moons ago", "yesterdays", "", "2027-03-10 12:61"] {
            #expect(throws: InputError.self) { try Moment.past(text, at: now) }
        }
        // As an option, where a value may begin with a dash.
        #expect(try work.keyvigil("create", "billing", "--permission", "read").status == 0)
        for since in ["-1h", "yesterday", "2 hours ago"] {
            #expect(try work.keyvigil("audit", "--since", since, "--json").objects.count == 1, "\(since)")
        }
        // What another verb prints is of the local time.
        let zone = ["TZ": "Asia/Kathmandu"]
        let shown = try work.keyvigil("show", "billing", environment: zone).output
        let created = String(try #require(shown.firstMatch(of: #/created +(\S+ \S+) \+0545/#)).1)
        func since(_ time: String, _ options: String...) throws -> Int {
            let words = ["audit", "--json", "--config", work.configuration, "--since", time]
            return try work.run(
                Workplace.binaries.appending(path: "keyvigil").path, words + options, environment: zone
            ).objects.count
        }
        #expect(try since(created) == 1 && since(created, "--utc") == 0)
        #expect(try since(String(created.dropLast(3))) == 1)
    }

    @Test("an expiry without a unit is explained")
    func unit() throws {
        let refused = try work.keyvigil("create", "billing", "--expires", "90")
        #expect(
            refused.status == 2 && refused.errors.contains("'90' has no unit") && refused.errors.contains("write 90d"))
        #expect(try work.keyvigil("create", "billing", "--expires", "90d").status == 0)
    }

    @Test("options come before or after the verb, and the environment gives two of them")
    func places() throws {
        _ = try work.create("billing", "--permission", "read")
        let tool = Workplace.binaries.appending(path: "keyvigil").path
        let config = work.configuration
        for words in [
            ["--json", "--config", config, "list"], ["--config=\(config)", "list", "--json"],
            ["list", "--json", "--config", config],
        ] {
            #expect(try work.run(tool, words).objects.count == 1, "\(words)")
        }
        #expect(try work.run(tool, ["--config", config, "findings", "list", "--json"]).status == 0)
        #expect(try work.run(tool, ["--config", config, "--json", "audit", "verify"]).objects.count == 1)
        let named = try work.run(tool, ["list", "--json"], environment: ["KEYVIGIL_CONFIG": config])
        #expect(named.objects.count == 1, "\(named.errors)")
        let store = try work.run(tool, ["list", "--json"], environment: ["KEYVIGIL_STORE": work.path("keys.sqlite")])
        #expect(store.objects.count == 1, "\(store.errors)")
        // An option that is given comes first.
        let other = try work.run(
            tool, ["list", "--config", config], environment: ["KEYVIGIL_CONFIG": work.path("absent.toml")])
        #expect(other.status == 0)
    }

    @Test("colours are for terminals, and for who asks for them")
    func colours() throws {
        _ = try work.create("billing", "--permission", "read")
        #expect(try onTerminal("list").text.contains("\u{1B}[1m"))
        #expect(try !onTerminal("list", environment: ["NO_COLOR": "1"]).text.contains("\u{1B}[1m"))
        #expect(try !onTerminal("list --color never").text.contains("\u{1B}[1m"))
        #expect(try !work.keyvigil("list").output.contains("\u{1B}"))
        #expect(try work.keyvigil("list", "--color", "always").output.contains("\u{1B}[1m"))
    }

    @Test("the last rows alone, and no words about what was done")
    func limits() throws {
        for name in ["a", "b", "c"] { #expect(try work.keyvigil("create", name).status == 0) }
        let last = try work.keyvigil("list", "-n", "2", "--json").objects.compactMap { $0["name"] as? String }
        #expect(last == ["b", "c"])
        let table = try work.keyvigil("list", "-n", "1").output.split(separator: "\n")
        #expect(table.count == 2 && table[1].contains(" c "))
        #expect(try work.keyvigil("audit", "-n", "1", "--json").objects.count == 1)
        #expect(try work.keyvigil("list", "-n", "0").status == 2)
        let quiet = try work.keyvigil("revoke", "a", "-q")
        #expect(quiet.status == 0 && quiet.output.isEmpty && quiet.errors.isEmpty)
        #expect(try work.keyvigil("findings", "-q").errors.isEmpty)
    }

    @Test("several keys at once: all are known before the first is changed")
    func several() throws {
        for name in ["a", "b", "c"] { _ = try work.create(name, "--permission", "read") }
        let wrong = try work.keyvigil("revoke", "a", "nowhere")
        #expect(wrong.status == 2)
        func active() throws -> [String] {
            try work.keyvigil("list", "--status", "active", "--json").objects.compactMap { $0["name"] as? String }
        }
        #expect(try active() == ["a", "b", "c"])
        #expect(try work.keyvigil("edit", "a", "b", "--owner", "ana", "--json").objects.count == 2)
        #expect(try work.keyvigil("revoke", "a", "b", "a", "--json").objects.count == 2)
        #expect(try active() == ["c"])
        #expect(try work.keyvigil("show", "a", "c").output.contains("key 'c'"))
        #expect(try work.keyvigil("delete", "a", "b", "--yes").status == 0)
        #expect(try work.keyvigil("list", "--json").objects.count == 1)
    }

    @Test("on a terminal revoke asks; a script has decided")
    func asks() throws {
        for name in ["a", "b"] { _ = try work.create(name, "--permission", "read") }
        let kept = try onTerminal("revoke a", keys: "n\n")
        #expect(
            kept.status == 2 && kept.text.contains("Revoke the key 'a'") && kept.text.contains("nothing was changed"))
        #expect(try onTerminal("revoke a", keys: "y\n").status == 0)
        #expect(try onTerminal("revoke b --yes").status == 0)
        #expect(try work.keyvigil("list", "--status", "active", "--json").objects.isEmpty)
    }

    @Test("what is long goes through the pager of the person's choice, and not where none reads")
    func pager() throws {
        _ = try work.create("billing", "--permission", "read")
        let pager = ["KEYVIGIL_PAGER": "sed s/^/paged:/"]
        #expect(try onTerminal("list --color never", environment: pager).text.contains("paged:NAME"))
        #expect(try !onTerminal("list --no-pager", environment: pager).text.contains("paged:"))
        #expect(try !onTerminal("create x --permission read", environment: pager).text.contains("paged:"))
        #expect(try !work.keyvigil("list", environment: pager).output.contains("paged:"))
        // A pager that is not there leaves the output as it is, and the exit status is the verb's.
        #expect(try onTerminal("list", environment: ["KEYVIGIL_PAGER": "/no/such/pager"]).text.contains("billing"))
        #expect(try onTerminal("show nothing", environment: pager).status == 2)
    }

    @Test("a key that may do everything says so at its creation")
    func unlimited() throws {
        #expect(try work.keyvigil("create", "all").errors.contains("may do everything, everywhere"))
        #expect(try work.keyvigil("create", "one", "--permission", "read").errors.isEmpty)
        #expect(try work.keyvigil("create", "two", "--quiet").errors.isEmpty)
    }

    @Test("a mistake in a table that a verb can do without is a warning, and stops those that need it")
    func mistakes() throws {
        let secret = try #require(try work.create("billing", "--permission", "read")["secret"] as? String)
        try work.configure("[scan]\nrepositoris = []\n[alerts]\nkeep = 3")
        let verified = try work.keyvigil("verify", input: "Bearer \(secret)")
        #expect(verified.status == 0 && verified.errors.contains("unknown setting 'scan.repositoris'"), "\(verified)")
        #expect(verified.errors.contains("did you mean") && verified.errors.contains("alerts.keep"))
        #expect(try work.keyvigil("backup", work.path("copy")).status == 0)
        #expect(try work.keyvigil("revoke", "billing").status == 0)
        let status = try work.keyvigil("status").output
        #expect(status.contains("unknown setting 'scan.repositoris'") && status.contains("keyvigil check-config"))
        for verb in ["scan", "check-config"] {
            let refused = try work.keyvigil(verb)
            #expect(refused.status == 2 && refused.errors.contains("keyvigil.toml:"), "\(verb): \(refused.errors)")
        }
        // What decides about keys is needed by all.
        try work.configure("[policy]\nrequire_ownr = true")
        #expect(try work.keyvigil("list").status == 2)
    }
}
