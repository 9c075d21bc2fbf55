import Dispatch
import Foundation
import KeyStore
import Keys
import LeakScan
import Synchronization
import SystemPackage
import Systemd
import Testing

@testable import Keyvigil

/// A place is a path: what the path leads to may change at any moment, and is watched from then on.
@Suite("Places that come to be something else", .serialized)
struct PlaceWatchTests {
    let work: Workplace
    let secret: String

    init() throws {
        work = try Workplace()
        secret = try #require(try work.create("billing")["secret"] as? String)
    }

    func shell(_ script: String) throws {
        let outcome = try work.run("/bin/sh", ["-ec", "cd '\(work.path(""))'\n\(script)"])
        try #require(outcome.status == 0, "\(outcome.errors)")
    }

    /// A bare repository at a path of the workplace, from a clone of its own.
    func makeBare(_ path: String, from clone: String) throws {
        try shell("mkdir -p \"$(dirname '\(path)')\" && git clone -q --bare '\(clone)' '\(path)'")
    }

    func push(_ clone: String, to path: String, _ file: String) throws {
        try work.commit(clone, [file: "\(file) \(secret)\n"])
        try work.git(clone, "-C", clone, "push", "-q", work.path(path), "HEAD:refs/heads/main")
    }

    /// How another repository comes to lie at `srv/git/shop.git`. `srv/git/new.git` is ready.
    static let changes = [
        "moved": "mv srv/git/shop.git srv/git/shop.old && mv srv/git/new.git srv/git/shop.git",
        "removed": "rm -rf srv/git/shop.git && mv srv/git/new.git srv/git/shop.git",
        "exchanged": """
        perl -e 'my $n = `uname -m` =~ /aarch64/ ? 276 : 316;
            syscall($n, -100, $ARGV[0], -100, $ARGV[1], 2) == 0 or die $!' srv/git/new.git srv/git/shop.git
        """,
        "parent moved": "cp -a srv other && rm -rf other/git/shop.git && mv other/git/new.git other/git/shop.git && "
            + "mv srv srv.old && mv other srv",
        "symlink to a folder": "cp -a srv/git elsewhere && mv srv/git srv/git.old && ln -s ../elsewhere srv/git",
        "symlink switched twice": """
        cp -a srv/git/new.git one.git && ln -s ../../one.git srv/git/link && mv -T srv/git/shop.git srv/git/shop.old
        mv -T srv/git/link srv/git/shop.git && cp -a one.git two.git && ln -s ../../two.git srv/git/link
        mv -T srv/git/link srv/git/shop.git
        """,
    ]

    @Test(
        "a repository that is replaced is watched in its new place, by whatever way it came there",
        arguments: changes.keys.sorted())
    func replaced(_ change: String) throws {
        let clone = try work.repository("work", ["a": "a"])
        try makeBare("srv/git/shop.git", from: clone)
        try makeBare("srv/git/new.git", from: clone)
        try work.configure("[scan]\nrepositories = [\"\(work.path("srv/git/shop.git"))\"]\ninterval = \"never\"")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        try shell(try #require(Self.changes[change]))
        for (count, file) in ["first", "second"].enumerated() {
            try push(clone, to: "srv/git/shop.git", file)
            // A scan that falls into the push names the object, and not yet the file.
            let line = try daemon.wait(for: "leak.confirmed", count: count + 1)
            #expect(line.contains("srv/git/shop.git"))
        }
        #expect(daemon.stop() == 0)
        #expect(daemon.events("leak.confirmed").count == 2)
    }

    @Test(
        "repositories that appear under a pattern are scanned and watched, at any depth, and their vanishing is no news"
    )
    func pattern() throws {
        let clone = try work.repository("work", ["a": "a"])
        try makeBare("srv/ana/shop.git", from: clone)
        try work.configure(
            "[scan]\nrepositories = [\"\(work.path("srv/*/*.git"))\", \"\(work.path("late/*.git"))\"]\n"
                + "interval = \"never\"")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        let paths = ["srv/ana/new.git", "srv/ben/his.git", "late/one.git"]
        for (count, path) in paths.enumerated() {
            let clone = try work.repository("work-\(count)", ["a": "a"])
            // Empty at first, as a forge makes it.
            try shell("mkdir -p \"$(dirname '\(path)')\" && git init -q --bare '\(path)'")
            for (pushes, file) in ["first", "second"].enumerated() {
                try push(clone, to: path, file)
                try daemon.waitForLines(pushes + 1) { $0.contains("leak.confirmed") && $0.contains(path) }
            }
        }
        try shell("rm -rf srv/ana/new.git")
        daemon.signal(SIGUSR1)
        try daemon.wait(for: "scan.finished", count: 2)
        #expect(daemon.stop() == 0)
        // One pattern matched nothing at the start, which was said.
        let failures = daemon.events("scan.failed")
        #expect(failures.count == 1, "\(failures)")
    }

    @Test("of a repository with very many folders of refs some are watched, which is known, and no others for it")
    func manyRefDirectories() throws {
        let clone = try work.repository("work", ["a": "a"])
        try makeBare("srv/wide.git", from: clone)
        try makeBare("srv/shop.git", from: clone)
        try shell("for i in $(seq 20); do mkdir -p srv/wide.git/refs/heads/$i/deep; done")
        let pushed = Mutex<Set<ExactText>>([])
        let noticed = DispatchSemaphore(value: 0)
        let watcher = RepositoryWatcher(debounce: 1, mostRefDirectories: 6) { push in
            if case .places(let places) = push { pushed.withLock { $0.formUnion(places) } }
            noticed.signal()
        }
        let places = ["srv/wide.git", "srv/shop.git"].map { work.path($0) }
        for _ in 0..<2 {
            for place in places {
                watcher.watch([try #require(Scanner.repository(at: FilePath(place)))], of: place)
            }
            #expect(watcher.unwatched == [ExactText(places[0]): .manyRefDirectories])
        }
        // Those that are made meanwhile are not watched either.
        try shell("for i in $(seq 20); do mkdir -p srv/wide.git/refs/heads/more/$i; done")
        try push(clone, to: "srv/wide.git", "first")
        try push(clone, to: "srv/shop.git", "second")
        while pushed.withLock({ $0.count }) < 2 {
            try #require(noticed.wait(timeout: .now() + 60) == .success, "the pushes were not noticed")
        }
        try shell("rm -rf srv/wide.git/refs/heads/*/")
        let layout = try #require(Scanner.repository(at: FilePath(places[0])))
        watcher.watch([layout], of: places[0])
        #expect(watcher.unwatched.isEmpty)
        watcher.stop()
    }

    @Test(
        "a pattern that matches nothing is said once, also when all that matched it is gone, and is never called clean")
    func unmatched() throws {
        let clone = try work.repository("work", ["a": "a"])
        try makeBare("mnt/shop.git", from: clone)
        try work.configure("[scan]\nrepositories = [\"\(work.path("mnt/*.git"))\"]\ninterval = \"never\"")
        var daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        try shell("mv mnt gone && mkdir mnt")
        let line = try daemon.wait(for: "scan.failed")
        #expect(line.contains("nothing matches the pattern") && line.contains("mnt/*.git"))
        #expect(daemon.stop() == 0)
        daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        #expect(daemon.stop() == 0)
        #expect(daemon.events("scan.failed").isEmpty)
        #expect(try work.keyvigil("scan").status == 2)
        let status = try work.keyvigil("status", "--json")
        #expect(status.output.contains("nothing matches the pattern"))
        // There again, it is as before.
        try shell("rmdir mnt && mv gone mnt")
        #expect(try work.keyvigil("scan").status == 0)
    }

    /// How a repository with a leak comes to match `srv/*/*.git`. `full` has it, `ready.git` is a bare clone of that.
    static let arrivals = [
        "cloned": "mkdir -p srv/ben && git clone -q --bare full srv/ben/new.git",
        "moved": "mkdir -p srv/ben && mv ready.git srv/ben/new.git",
        "with its parent": "mkdir ben && mv ready.git ben/new.git && mv ben srv/ben",
        "symlink": "mkdir -p srv/ben && ln -s ../../ready.git srv/ben/new.git",
    ]

    @Test("a repository that appears under a pattern is scanned at once", arguments: arrivals.keys.sorted())
    func arrival(_ way: String) throws {
        let full = try work.repository("full", ["k": "k = \(secret)"])
        try makeBare("ready.git", from: full)
        try makeBare("srv/ana/old.git", from: try work.repository("empty", ["a": "a"]))
        try work.configure("[scan]\nrepositories = [\"\(work.path("srv/*/*.git"))\"]\ninterval = \"never\"")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        try shell(try #require(Self.arrivals[way]))
        let line = try daemon.wait(for: "leak.confirmed")
        #expect(line.contains("srv/ben/new.git"))
        // It is watched from then on.
        let other = try work.create("orders")
        try work.commit(full, ["o": "o = \(try #require(other["secret"] as? String))"])
        try work.git(full, "-C", full, "push", "-q", work.path("srv/ben/new.git"), "HEAD:refs/heads/main")
        try daemon.wait(for: "leak.confirmed", count: 2)
        #expect(daemon.stop() == 0)
        #expect(daemon.events("scan.failed").isEmpty && daemon.events("scan.finished").count == 1)
    }

    @Test("a parent folder of a pattern that cannot be looked into is reported, and what matched before stays open")
    func unreadableParent() throws {
        let clone = try work.repository("work", ["k": "k = \(secret)"])
        try makeBare("srv/ana/shop.git", from: clone)
        let pattern = work.path("srv/*/*.git")
        try work.configure("[scan]\nrepositories = [\"\(pattern)\"]\ninterval = \"never\"")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        // A loop of symlinks: no user can look into it, root neither.
        try shell("mv srv away && ln -s srv srv")
        let line = try daemon.wait(for: "scan.failed")
        #expect(line.contains("it is not known what the pattern") && line.contains(work.path("srv")), "\(line)")
        daemon.signal(SIGUSR1)
        try daemon.wait(for: "scan.finished", count: 2)
        #expect(daemon.stop() == 0)
        #expect(daemon.events("scan.failed").count == 1 && daemon.events("place.unwatched").isEmpty)
        #expect(daemon.events("leak.resolved").isEmpty)
        let checked = try work.keyvigil("check-config")
        #expect(checked.status == 0 && checked.errors.contains("it is not known what the pattern"), "\(checked)")
        let status = try work.keyvigil("status")
        #expect(status.output.contains("it is not known what the pattern"), "\(status.output)")
        #expect(try work.keyvigil("scan").status == 2)
        let findings = try work.keyvigil("findings", "--json").objects
        #expect(findings.count == 1 && findings[0]["status"] as? String == "open", "\(findings)")
    }

    @Test("a place that leaves the configuration closes its findings with one alert, and opens them when it is back")
    func unwatched() throws {
        let shop = try work.repository("shop", ["k": "k = \(secret)"])
        let other = try work.repository("other", ["a": "a"])
        func configure(_ places: String...) throws {
            let list = places.map { "\"\($0)\"" }.joined(separator: ", ")
            try work.configure("[scan]\nrepositories = [\(list)]\ninterval = \"never\"")
        }
        try configure(shop, other)
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "leak.confirmed")
        try daemon.wait(for: "scan.finished")
        #expect(try work.keyvigil("status").output.contains("1 open"))
        try configure(other)
        daemon.signal(SIGHUP)
        let line = try daemon.wait(for: "place.unwatched")
        #expect(line.contains(shop) && line.contains("the configuration no longer names it"), "\(line)")
        try daemon.wait(for: "scan.finished", count: 2)
        #expect(try work.keyvigil("findings", "--json").objects.allSatisfy { $0["repository"] as? String != shop })
        // What is pushed there no longer counts; what is pushed elsewhere does.
        try work.commit(shop, ["again": "again = \(secret)"])
        try work.commit(other, ["k": "k = \(secret)"])
        try daemon.waitForLines(2) { $0.contains("leak.confirmed") }
        #expect(daemon.events("leak.confirmed")[1].contains(other))
        try configure(shop, other)
        daemon.signal(SIGHUP)
        try daemon.wait(for: "scan.finished", count: 3)
        #expect(daemon.stop() == 0)
        #expect(daemon.events("place.unwatched").count == 1)
        let open = try work.keyvigil("findings", "--json").objects.filter { $0["repository"] as? String == shop }
        #expect(open.count == 2 && open.allSatisfy { $0["status"] as? String == "open" }, "\(open)")
    }

    @Test("what the kernel does not hear of is looked at again and again, and that is said once, and not as a trouble")
    func silentFileSystem() throws {
        #expect(!DirectoryIdentity.tellsChanges("/proc") && !DirectoryIdentity.tellsChanges("/no/such/folder"))
        let clone = try work.repository("work", ["a": "a"])
        try makeBare("mnt/shop.git", from: clone)
        var bytes = Secret(capacity: 32)
        bytes.append(contentsOf: String(repeating: "p", count: 32).utf8)
        let store = try Store(path: work.path("own.sqlite"), pepper: try Pepper(bytes), now: Workspace.now)
        var settings = Configuration.ScanSettings()
        settings.repositories = [work.path("mnt/*.git")]
        settings.interval = nil
        let looks = DispatchSemaphore(value: 0)
        let scans = ScanService(
            store: store, settings: settings, shortestPrefix: 8, now: { Workspace.now }, alerted: {}, failed: { _ in },
            answers: { _ in looks.signal() }, tellsChanges: { _ in false }, pollPause: 20)
        scans.start()
        for _ in 0..<4 { try #require(looks.wait(timeout: .now() + 60) == .success) }
        scans.stop()
        let reported = try store.undeliveredAlerts(limit: 100).map(\.alert).filter { $0.kind == .watchDegraded }
        #expect(reported.count == 1 && reported[0].priority == .notice, "\(reported)")
        #expect(reported[0].message.contains("(\(work.path("mnt/shop.git")))"), "\(reported)")
        #expect(reported[0].message.contains("1 place") && reported[0].message.contains("within a minute"))
        try store.close()
    }

    @Test("the steps to a path are those of the symlinks on the way, too")
    func steps() throws {
        try shell("mkdir -p real/deep/x.git && ln -s real link && ln -s \"$(pwd)/link/deep\" abs")
        let root = try #require(RealPath.of(FilePath(work.path(""))))
        let base = work.path("")
        let path = base + (base.hasSuffix("/") ? "" : "/") + "abs/x.git"
        let steps = PathStep.steps(to: path)
        func affected(_ folder: FilePath, _ name: String) -> [String] {
            steps.filter { $0.directory == folder }.compactMap { $0.affectedPath(by: FilePath.Component(name)!) }
        }
        let link = String(path.dropLast("/x.git".count))
        #expect(affected(root, "abs") == [link] && affected(root, "link") == [link] && affected(root, "real") == [link])
        #expect(affected(root.appending("real"), "deep") == [link])
        #expect(affected(root.appending("real").appending("deep"), "x.git") == [path])
        #expect(affected(root, "other").isEmpty)
        let matching = PathStep.steps(to: link + "/*.git").filter { $0.name == "*.git" }
        #expect(matching.first?.affectedPath(by: "new.git") == link + "/new.git" && matching.count == 1)
        #expect(matching.first?.affectedPath(by: "new.txt") == nil && matching.first?.affectedPath == link)
    }
}
