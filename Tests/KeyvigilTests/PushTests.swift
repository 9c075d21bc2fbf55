import Foundation
import Keys
import Testing

@testable import Keyvigil

@Suite("Pushes are seen at once", .serialized)
struct PushTests {
    let work: Workplace
    let secret: String

    init() throws {
        work = try Workplace()
        secret = try #require(try work.create("billing")["secret"] as? String)
    }

    /// A bare repository and a clone of it to push from, with one commit.
    func makeRemote(_ name: String) throws -> (bare: String, clone: String) {
        let bare = work.path("\(name).git")
        try work.git(bare, "init", "-q", "--bare", "-b", "main", bare)
        let clone = try work.repository(name, ["a": "a"])
        try push(clone, to: bare, "main")
        return (bare, clone)
    }

    func push(_ clone: String, to bare: String, _ refs: String) throws {
        try work.git(clone, "-C", clone, "push", "-q", bare, "HEAD:refs/heads/\(refs)")
    }

    /// Settings by which only a push, and nothing else, starts a scan after the first.
    func configure(_ repositories: String...) throws {
        let list = repositories.map { "\"\($0)\"" }.joined(separator: ", ")
        try work.configure("[scan]\nrepositories = [\(list)]\ninterval = \"never\"")
    }

    @Test("a push of a known branch, of a new one in a new folder, and of one that is packed, starts a scan")
    func pushes() throws {
        let (bare, clone) = try makeRemote("shop")
        try configure(bare)
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        for (count, branch) in ["main", "feature/deep/er", "main"].enumerated() {
            try work.commit(clone, ["leak\(count).txt": "\(count) \(secret)\n"])
            if count == 2 { try work.git(bare, "-C", bare, "pack-refs", "--all") }
            try push(clone, to: bare, branch)
            let line = try daemon.wait(for: "leak.confirmed", count: count + 1)
            #expect(line.contains("leak\(count).txt"))
        }
        // A folder of refs that is watched by now.
        try work.commit(clone, ["leak3.txt": "3 \(secret)"])
        try push(clone, to: bare, "feature/deep/second")
        try daemon.wait(for: "leak.confirmed", count: 4)
        // A ref that packing has emptied the folder of, and that git makes again.
        try work.git(bare, "-C", bare, "gc", "-q")
        try work.commit(clone, ["leak4.txt": "4 \(secret)"])
        try push(clone, to: bare, "feature/deep/er")
        try daemon.wait(for: "leak.confirmed", count: 5)
        #expect(daemon.stop() == 0)
        // Of a scan that a push has started only findings are reported, each once.
        #expect(daemon.events("scan.finished").count == 1 && daemon.events("leak.confirmed").count == 5)
    }

    @Test("a commit in a working tree, a fetched pack, and a push to a submodule's repository are seen, too")
    func others() throws {
        let (bare, clone) = try makeRemote("shop")
        let folder = work.path("many")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try work.git(bare, "clone", "-q", bare, folder + "/inner")
        try work.configure(
            "[scan]\nrepositories = [\"\(clone)\"]\nfolders = [\"\(folder)\"]\ninterval = \"never\"")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        try work.commit(clone, ["leak.txt": secret])
        try daemon.wait(for: "leak.confirmed")
        try push(clone, to: bare, "main")
        // Many objects come as a pack.
        try work.git(folder, "-C", folder + "/inner", "-c", "fetch.unpackLimit=1", "fetch", "-q")
        let line = try daemon.wait(for: "leak.confirmed", count: 2)
        #expect(line.contains(folder))
        #expect(daemon.stop() == 0)
    }

    @Test("a repository that is added to the configuration is watched, one that is removed is not")
    func reload() throws {
        let (first, firstClone) = try makeRemote("first")
        let (second, secondClone) = try makeRemote("second")
        try configure(first)
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        try configure(second)
        daemon.signal(SIGHUP)
        try daemon.wait(for: "scan.finished", count: 2)
        try work.commit(firstClone, ["leak.txt": secret])
        try push(firstClone, to: first, "main")
        try work.commit(secondClone, ["leak.txt": secret])
        try push(secondClone, to: second, "main")
        try daemon.wait(for: "leak.confirmed")
        #expect(daemon.stop() == 0)
        #expect(daemon.events("leak.confirmed").count == 1 && daemon.output.joined().contains(second))
    }

    @Test("where the kernel has no more watches, that is reported once with what to do, and the poll finds the push")
    func exhausted() throws {
        let (bare, clone) = try makeRemote("shop")
        try configure(bare)
        // In a user namespace of its own the daemon has as few watches as we like. The store takes one.
        let daemon = try DaemonProcess(
            work,
            launcher: [
                "/usr/bin/unshare", "--user", "--map-root-user", "/bin/sh", "-c",
                """
                echo 3 > /proc/sys/user/max_inotify_watches && exec "$@"
                """, "sh",
            ])
        try daemon.wait(for: "scan.finished")
        let line = try daemon.wait(for: "watch.degraded")
        #expect(line.contains("1 place") && line.contains("sysctl fs.inotify.max_user_watches="))
        try work.commit(clone, ["leak.txt": secret])
        try push(clone, to: bare, "main")
        daemon.signal(SIGUSR1)
        try daemon.wait(for: "leak.confirmed")
        try daemon.wait(for: "scan.finished", count: 2)
        #expect(daemon.stop() == 0)
        #expect(daemon.events("watch.degraded").count == 1)
    }

    @Test("a repository with very many folders of refs leaves watches to others, where the kernel has few")
    func room() throws {
        let (wide, _) = try makeRemote("wide")
        let (bare, clone) = try makeRemote("shop")
        for number in 0..<150 {
            try FileManager.default.createDirectory(
                atPath: "\(wide)/refs/heads/\(number)", withIntermediateDirectories: true)
        }
        try configure(wide, bare)
        let daemon = try DaemonProcess(
            work,
            launcher: [
                "/usr/bin/unshare", "--user", "--map-root-user", "/bin/sh", "-c",
                "echo 100 > /proc/sys/user/max_inotify_watches && exec \"$@\"", "sh",
            ])
        try daemon.wait(for: "scan.finished")
        try daemon.wait(for: "watch.degraded")
        try work.commit(clone, ["leak.txt": secret])
        try push(clone, to: bare, "main")
        // Sooner than by the check of what is not watched.
        try daemon.wait(for: "leak.confirmed")
        #expect(daemon.stop() == 0)
        let lines = daemon.events("watch.degraded")
        #expect(lines.allSatisfy { $0.contains("wide.git") && !$0.contains("shop.git") }, "\(lines)")
    }

    @Test(
        "a daemon that gets no watch at all looks at the store every few seconds, reports that, and its end",
        arguments: ["watches", "instances"])
    func storeUnwatched(_ limit: String) throws {
        // Nothing but a look at the store shows that another program has changed it.
        try work.configure("[daemon]\nsweep_interval = \"1h\"")
        let raised = work.path("raised")
        #expect(try work.run("/usr/bin/mkfifo", [raised]).status == 0)
        let setting = "/proc/sys/user/max_inotify_\(limit)"
        let daemon = try DaemonProcess(
            work,
            launcher: [
                "/usr/bin/unshare", "--user", "--map-root-user", "/bin/sh", "-c",
                """
                echo 0 > \(setting); (read line < '\(raised)'; echo 100 > \(setting)) & exec "$@"
                """, "sh",
            ])
        let line = try daemon.wait(for: "watch.degraded")
        #expect(line.contains("changes of the store by other programs are noticed within 5 seconds"))
        #expect(line.contains("fs.inotify.max_user_\(limit)="))
        let status = try work.keyvigil("status", "--json")
        #expect(status.status == 1 && "\(status.objects.first?["troubles"] ?? "")".contains("inotify"))
        #expect(try work.keyvigil("doctor").output.contains("echo fs.inotify.max_user_\(limit)="))
        _ = try work.create("brief", "--expires", "1s")
        try daemon.wait(for: "key.expired")
        #expect(try work.run("/bin/sh", ["-c", "echo > '\(raised)'"]).status == 0)
        try daemon.wait(for: "are noticed at once again")
        #expect(try work.keyvigil("status", "--json").status == 0)
        #expect(daemon.stop() == 0)
        #expect(daemon.events("watch.degraded").count == 2)
    }

    @Test("what an earlier daemon could not watch is taken back by one that can")
    func takenBack() throws {
        try work.write("", to: "files/a")
        try work.configure("[scan]\nfolders = [\"\(work.path("files"))\"]")
        let blind = try DaemonProcess(
            work,
            launcher: [
                "/usr/bin/unshare", "--user", "--map-root-user", "/bin/sh", "-c",
                "echo 0 > /proc/sys/user/max_inotify_watches; exec \"$@\"", "sh",
            ])
        try blind.wait(for: "watch.degraded")
        #expect(blind.stop() == 0)
        for count in [1, 0] {
            let daemon = try DaemonProcess(work)
            try daemon.wait(for: "scan.finished")
            if count > 0 { try daemon.wait(for: "are noticed at once again") }
            #expect(daemon.stop() == 0)
            #expect(daemon.events("watch.degraded").count == count)
        }
    }
}

@Suite("What is asked for to be scanned")
struct ScanRequestTests {
    @Test("requests add up; all is all")
    func merging() {
        var request = ScanRequest.nothing
        #expect(!request.includes("/a"))
        request.merge(.some(["/a"]))
        request.merge(.some(["/b"]))
        #expect(request == .some(["/a", "/b"]) && request.includes("/a") && !request.includes("/c"))
        request.merge(.all)
        request.merge(.some(["/a"]))
        #expect(request == .all && request.includes("/c"))
    }
}
