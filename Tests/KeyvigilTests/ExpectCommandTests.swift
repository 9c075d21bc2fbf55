import Foundation
import Testing

@Suite("Expected places")
struct ExpectCommandTests {
    let work: Workplace

    init() throws {
        work = try Workplace()
        try work.write("", to: "etc/other")
        try work.configure("[scan]\nrepositories = [\"\(work.path("etc"))\"]")
    }

    private var file: String { work.path("etc/shop.env") }

    /// Scans with the daemon, and returns what it has written by then.
    @discardableResult
    private func scan() throws -> [String] {
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        #expect(daemon.stop() == 0)
        return daemon.output
    }

    private func places() throws -> [[String: Any]] {
        try #require(try work.keyvigil("show", "shop", "--json").objects.first?["expected"] as? [[String: Any]])
    }

    @Test("a key in an expected file is inventory; a copy beside it is a leak")
    func inventory() throws {
        let secret = try #require(try work.create("shop", "--expires", "never")["secret"] as? String)
        let set = try work.keyvigil("expect", "shop", file)
        #expect(set.status == 0 && set.output.contains("is expected in \(file)") && !set.errors.contains("watched"))
        #expect(try work.keyvigil("show", "shop").output.contains("\(file)  no scan has seen the key there"))
        try work.write("TOKEN=\(secret)\n", to: "etc/shop.env")
        #expect(try !scan().contains { $0.contains("leak.") })
        #expect(try work.keyvigil("findings").errors.contains("no findings"))
        #expect(try work.keyvigil("incidents").errors.contains("no incidents"))
        #expect(try work.keyvigil("show", "shop").output.contains("\(file)  holds the current secret, as of "))
        let scanned = try work.keyvigil("scan", work.path("etc"), "--full", "--json")
        #expect(scanned.status == 0 && scanned.objects.first?["expected"] as? Bool == true, "\(scanned.output)")

        // What is about to take the place of the file is no copy.
        try work.write("TOKEN=\(secret)\n", to: "etc/shop.env.part")
        #expect(try !scan().contains { $0.contains("leak.") })
        try work.write("TOKEN=\(secret)\n", to: "etc/shop.env.bak")
        let alerts = try scan().filter { $0.contains("leak.confirmed") }
        #expect(alerts.count == 1 && alerts[0].contains("shop.env.bak"))
    }

    @Test("an expected file is the same however its path is written: with a slash twice, or through a symlink")
    func spelling() throws {
        let secret = try #require(try work.create("shop", "--expires", "never")["secret"] as? String)
        let (folder, link) = (work.path("etc"), work.path("link"))
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder)
        let set = try work.keyvigil("expect", "shop", "\(folder)//doubled.env", "\(link)/linked.env")
        #expect(set.status == 0 && set.output.contains("\(folder)/doubled.env"), "\(set)")
        for name in ["doubled", "linked"] { try work.write("TOKEN=\(secret)\n", to: "etc/\(name).env") }
        #expect(try !scan().contains { $0.contains("leak.") })
        // What rotation writes there is meant to be there, too.
        let rotated = try work.keyvigil(
            "rotate", "shop", "--to", "\(folder)//doubled.env#TOKEN", "--to", "\(link)/linked.env#TOKEN")
        #expect(rotated.status == 0, "\(rotated)")
        #expect(try !scan().contains { $0.contains("leak.") })
        try work.write("TOKEN=\(secret)\n", to: "etc/other")
        #expect(try scan().contains { $0.contains("leak.confirmed") && $0.contains("other") })
    }

    @Test(
        "an expected file that git ignores is looked at, and what is ignored beside it is not",
        arguments: [false, true])
    func ignored(_ isFolderIgnored: Bool) throws {
        let secret = try #require(try work.create("shop", "--expires", "never")["secret"] as? String)
        let repository = try work.repository(
            "site", [".gitignore": isFolderIgnored ? "conf/\n" : "*.env\n", "a.txt": "x\n"])
        try work.configure("[scan]\nrepositories = [\"\(repository)\"]")
        for file in ["app.env", "copy.env"] { try work.write("TOKEN=\(secret)\n", to: "site/conf/\(file)") }
        let expected = repository + "/conf/app.env"
        #expect(try work.keyvigil("expect", "shop", expected).status == 0)
        #expect(try !scan().contains { $0.contains("leak.") })
        let shown = try work.keyvigil("show", "shop")
        #expect(shown.output.contains("\(expected)  holds the current secret, as of "), "\(shown.output)")
    }

    @Test("a finding that is known is closed by it, and is reported when the file is taken off the list")
    func known() throws {
        let secret = try #require(try work.create("shop", "--expires", "never")["secret"] as? String)
        try work.write("TOKEN=\(secret)\n", to: "etc/shop.env")
        #expect(try scan().contains { $0.contains("leak.confirmed") })
        #expect(try work.keyvigil("expect", "shop", file).status == 0)
        #expect(try work.keyvigil("incidents", "--open").errors.contains("no open"))
        #expect(try work.keyvigil("findings").errors.contains("no findings"))
        #expect(try !scan().contains { $0.contains("leak.") })
        #expect(try work.keyvigil("expect", "shop", file, "--remove").output.contains("no longer expected"))
        #expect(try scan().contains { $0.contains("leak.confirmed") && $0.contains("shop.env") })
        #expect(try work.keyvigil("incidents", "--open", "--json").objects.count == 1)
        let again = try work.keyvigil("expect", "shop", file, "--remove")
        #expect(
            again.status == 2 && again.errors.contains("no expected place") && again.errors.contains("keyvigil show"))
        #expect(try work.keyvigil("audit", "verify").status == 0)
    }

    @Test("a commit of the file is a leak")
    func committed() throws {
        let secret = try #require(try work.create("shop", "--expires", "never")["secret"] as? String)
        let repository = try work.repository("repo", ["shop.env": "TOKEN=\(secret)\n"])
        #expect(try work.keyvigil("expect", "shop", "\(repository)/shop.env").errors.contains("in no watched place"))
        try work.configure("[scan]\nrepositories = [\"\(repository)\"]")
        #expect(try scan().contains { $0.contains("leak.confirmed") && $0.contains("since commit") })
    }

    @Test("of an expected file that is committed it is known what it holds, and the end of an overlap names it")
    func committedOverlap() throws {
        let secret = try #require(try work.create("shop", "--expires", "never")["secret"] as? String)
        let repository = try work.repository("repo", ["shop.env": "TOKEN=\(secret)\n", "a/other.env": "nothing\n"])
        let file = "\(repository)/shop.env"
        #expect(try work.keyvigil("expect", "shop", file).status == 0)
        #expect(try work.keyvigil("expect", "shop", "\(repository)/a/other.env").status == 0)
        #expect(try work.keyvigil("scan", repository).status == 1)
        let shown = try work.keyvigil("show", "shop").output
        #expect(
            shown.contains("holds the current secret") && shown.contains("no scan has seen the key there"), "\(shown)")
        #expect(try work.keyvigil("findings", "dismiss", "1", "--reason", "a test").status == 0)
        #expect(try work.keyvigil("rotate", "shop", "--overlap", "1h").status == 0)
        #expect(try work.keyvigil("rotate", "shop", "--end-overlaps").status == 0)
        let left = try work.keyvigil("alerts", "--json").objects.filter {
            $0["event"] as? String == "secret.left_in_place"
        }
        #expect(left.count == 1 && (left[0]["message"] as? String)?.contains(file) == true, "\(left)")
    }

    @Test("after a rotation it is said which file still has the old secret, and at the end of the overlap by an alert")
    func rotated() throws {
        let old = try #require(try work.create("shop", "--expires", "never", "--expected", file)["secret"] as? String)
        try work.write("TOKEN=\(old)\n", to: "etc/shop.env")
        try scan()
        let rotation = try work.keyvigil("rotate", "shop", "--overlap", "3s", "--json")
        let new = try #require(rotation.objects.first?["secret"] as? String)
        #expect(try work.keyvigil("show", "shop").output.contains(", before the key was rotated"))
        let daemon = try DaemonProcess(work)
        let alert = try daemon.wait(for: "secret.left_in_place")
        #expect(alert.contains(file) && !alert.contains(old))
        try work.write("TOKEN=\(new)\n", to: "etc/shop.env")
        let scans = daemon.events("scan.finished").count
        daemon.signal(SIGUSR1)
        try daemon.wait(for: "scan.finished", count: scans + 1)
        #expect(daemon.stop() == 0)
        #expect(daemon.events("leak.confirmed").isEmpty && daemon.events("secret.left_in_place").count == 1)
        let found = try #require(try places().first?["found"] as? [[String: Any]])
        #expect(found.map { $0["secret_state"] as? String } == ["current"], "\(found)")
    }

    @Test("an hour before the end of an overlap it is said which file still has the old secret")
    func retiring() throws {
        let old = try #require(try work.create("shop", "--expires", "never", "--expected", file)["secret"] as? String)
        _ = try work.create("other", "--expires", "never")
        try work.write("TOKEN=\(old)\n", to: "etc/shop.env")
        try scan()
        for key in ["shop", "other"] {
            #expect(try work.keyvigil("rotate", key, "--overlap", "3603s").status == 0)
        }
        let daemon = try DaemonProcess(work)
        let alert = try daemon.wait(for: "secret.retiring")
        #expect(alert.contains(file) && alert.contains("within 1h") && !alert.contains(old), "\(alert)")
        #expect(daemon.stop() == 0)
        // It is said once, and nothing of a secret that is nowhere.
        let again = try DaemonProcess(work)
        try again.wait(for: "scan.finished")
        #expect(again.stop() == 0)
        #expect(daemon.events("secret.retiring").count == 1 && again.events("secret.retiring").isEmpty)
        #expect(try work.keyvigil("audit", "verify").status == 0)
    }

    @Test("an import can give them, and a path that is none is refused with its line")
    func imported() throws {
        try work.write(
            "name,issuer,prefix,expected\nshop,external,sk_shop_1234,/etc/a;/etc/b\n", to: "keys.csv")
        #expect(try work.keyvigil("import", work.path("keys.csv")).status == 0)
        #expect(try places().map { $0["path"] as? String } == ["/etc/a", "/etc/b"])
        for bad in ["etc/a", "/etc/", "/etc/../a"] {
            try work.write("name,issuer,prefix,expected\nx,external,sk_other_1234,\(bad)\n", to: "bad.csv")
            let refused = try work.keyvigil("import", work.path("bad.csv"))
            #expect(refused.status == 2 && refused.errors.contains("line 2") && refused.errors.contains("'expected'"))
            #expect(try work.keyvigil("expect", "shop", bad).status == 2)
        }
    }
}
