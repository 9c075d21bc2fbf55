import Foundation
import Testing

@Suite("The report as a page", .timeLimit(.minutes(30)))
struct ReportPageTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    private static let markup = "<script>parent.ran=1</script><img src=x onerror=parent.ran=1>\"'&amp;"
    /// What a right-to-left override would hide.
    private static let hidden = "a\u{202E}b"

    /// A store with keys in each state, a leak that works, one that does not, a secret of no key and a place that is not there.
    private func fill() throws -> (secrets: [String], repository: String) {
        let first = try work.create(
            Self.markup, "--owner", "o\(Self.markup)", "--expires", "20d", "--rotate-every", "10d")
        let second = try work.create("checkout", "--owner", "ana", "--expires", "40d")
        let third = try work.create("overdue", "--rotate-every", "1ms", "--expires", "never")
        let secrets = try [first, second, third].map { try #require($0["secret"] as? String) }
        let repository = try work.repository(
            "git-\(Self.markup.replacing("/", with: "-"))",
            ["\(Self.markup.replacing("/", with: "-")).txt": "k = \(secrets[0])\nc = \(secrets[1])\n"])
        _ = try work.repository("git-\(Self.hidden)", ["a.txt": "nothing"])
        try work.configure("[scan]\nrepositories = [\"\(work.path("git-*"))\", \"\(work.path("nowhere"))\"]")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        #expect(daemon.stop() == 0)
        #expect(try work.keyvigil("revoke", "checkout", "--yes", "--reason", Self.markup).status == 0)
        return (secrets, repository)
    }

    @Test(
        "a browser shows it at each width, light and dark, with headings in order and enough contrast; names run nothing"
    )
    func browser() throws {
        let (secrets, repository) = try fill()
        let file = work.path("report.html")
        #expect(try work.keyvigil("report", "--html", file, "--utc").status == 0)
        let page = try String(contentsOfFile: file, encoding: .utf8)
        for secret in secrets { #expect(!page.contains(secret)) }
        var backgrounds: Set<String> = []
        for isDark in [false, true] {
            let answer = try PageProbe(work: work).look(at: page, isDark: isDark)
            #expect(!answer.didRun)
            #expect(answer.views.map(\.width) == PageProbe.widths)
            for view in answer.views {
                #expect(view.contentWidth <= view.width && view.outside.isEmpty, "\(view.width): \(view.outside)")
                #expect(view.texts > 60 && view.faint.isEmpty, "\(view.width): \(view.faint)")
                #expect(view.headings.first == 1 && view.headings.count { $0 == 1 } == 1)
                #expect(zip(view.headings, view.headings.dropFirst()).allSatisfy { $1 <= $0 + 1 }, "\(view.headings)")
                #expect(view.scripts == 0 && view.handlers == 0 && view.links.isEmpty, "\(view.links)")
                #expect(view.columnsWithoutScope == 0 && view.unnamedSections == 0)
                // Each name is there as text, as it is.
                #expect(view.text.contains(Self.markup) && view.text.contains("o\(Self.markup)"))
                #expect(view.text.contains(repository) && view.text.contains("git-a\\u{202E}b"))
                #expect(!view.text.contains(Self.hidden))
                backgrounds.insert(view.background)
            }
        }
        #expect(backgrounds.count == 2)
        // On paper a table is a table, whose head is above its columns.
        let lines = try PageProbe(work: work).printed(page)
        #expect(lines.contains { $0.contains(#/Key +Owner +Issuer +Status +Created/#) }, "\(lines)")
        #expect(lines.contains { $0.contains(#/checkout +ana +keyvigil/#) }, "\(lines)")
    }

    @Test("the dates of a week are counted by what happens, with commas between them")
    func weeks() throws {
        _ = try work.create("billing", "--expires", "19d", "--rotate-every", "18d")
        _ = try work.create("shop", "--expires", "20d")
        let file = work.path("report.html")
        #expect(try work.keyvigil("report", "--html", file, "--utc").status == 0)
        let page = try String(contentsOfFile: file, encoding: .utf8)
        let words = page.matches(of: #/class="numbers">(.*?)</span></li>/#)
            .map { $0.output.1.replacing(#/<[^>]*>/#, with: "").trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
        #expect(words.contains("2 expiries, 1 rotation"), "\(words)")
    }

    @Test("it says of each place up to which commit it was searched whole, or why not, and of no place more than that")
    func coverage() throws {
        let (_, repository) = try fill()
        let head = try work.run("/usr/bin/git", ["-C", repository, "rev-parse", "HEAD"]).output
            .trimmingCharacters(in: .newlines)
        let page = try work.keyvigil("report", "--html", "-", "--utc").output
        let rows = page.split(separator: "<tr>").map(String.init)
        let whole = try #require(rows.first { $0.contains(head) })
        #expect(whole.contains(">searched whole<"))
        let missing = try #require(rows.first { $0.contains("<th scope=\"row\">\(work.path("nowhere"))</th>") })
        #expect(missing.contains(">not searched whole<") && !missing.contains(">searched whole<"))
        #expect(missing.contains("there is nothing at"))
        #expect(page.contains("<strong>2 of 3</strong>"))
        // The leak that works is open and has its age; the other one is closed.
        let open = try #require(page.firstMatch(of: #/(?s)Open incidents, the oldest first(.*?)</table>/#)).output.1
        #expect(open.contains(">works<") && open.contains("1 open of 1") && !open.contains("checkout"))
        let closed = try #require(page.firstMatch(of: #/(?s)Closed incidents, the oldest first(.*?)</table>/#)).output.1
        #expect(closed.contains(">no longer works<") && closed.contains("checkout"))
        let ages = try #require(page.firstMatch(of: #/(?s)first seen in a repository(.*?)</table>/#)).output.1
        #expect(
            ages.contains("<td data-label=\"Below a day\">1</td>") && ages.contains("<td data-label=\"All\">1</td>"))
        // What is found by no scan yet is not called searched.
        _ = try work.repository("git-later", ["a.txt": "nothing"])
        let later = try work.keyvigil("report", "--html", "-").output
        let row = try #require(later.split(separator: "<tr>").first { $0.contains("git-later</th>") })
        #expect(row.contains(">not searched yet<") && !row.contains(">searched whole<"))
    }

    @Test(
        "the file is its owner's alone, replaced as a whole, and never through a link; rows beyond the bound are counted"
    )
    func file() throws {
        for index in 0..<4 { _ = try work.create("key \(index)", "--expires", "80d") }
        let file = work.path("report.html")
        try work.write("old", to: "report.html")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
        #expect(try work.keyvigil("report", "--html", file, "--rows", "1").status == 0)
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions]
        #expect(mode as? Int == 0o600)
        let page = try String(contentsOfFile: file, encoding: .utf8)
        #expect(page.contains("3 more are not shown here: <code>keyvigil list"))
        #expect(page.contains("key 0") && !page.contains("key 3"))

        try work.write("kept", to: "kept")
        try FileManager.default.createSymbolicLink(atPath: work.path("link"), withDestinationPath: work.path("kept"))
        let link = try work.keyvigil("report", "--html", work.path("link"))
        #expect(link.status == 2 && link.errors.contains("is a symbolic link"), "\(link.errors)")
        #expect(try String(contentsOfFile: work.path("link"), encoding: .utf8) == "kept")
        for odd in [work.path(""), "/dev/null"] {
            #expect(try work.keyvigil("report", "--html", odd).status == 2)
        }
        #expect(try work.keyvigil("report", "--html", work.path("nowhere/x")).errors.contains("cannot be written"))
        for options in [["--csv"], ["--json"]] {
            let both = try work.run(
                Workplace.binaries.appending(path: "keyvigil").path,
                ["report", "--html", file, "--config", work.configuration] + options)
            #expect(both.status == 2 && both.errors.contains("exclude each other"))
        }
        #expect(try work.keyvigil("report", "--rows", "5").status == 2)
    }
}
