import Foundation
import Glibc
import Keys
import Synchronization
import Testing

@testable import KeyStore

/// Root uses a store, and makes files, in directories of a user who wants root's files.
@Suite("Root in a directory of another user", .enabled(if: geteuid() == 0, "only root has rights to lose"))
struct ForeignDirectoryTests {
    /// The user `nobody`.
    static let user: UInt32 = 65_534

    /// A folder that the user may enter, with what is root's in `root` and what is the user's in `theirs`.
    final class Scene {
        let work: Workplace
        let theirs: String
        /// An empty file in a folder of root's.
        let victim: String
        /// Where nothing is, in the same folder.
        let absent: String

        init() throws {
            work = try Workplace()
            theirs = work.path("theirs")
            victim = work.path("root/victim")
            absent = work.path("root/absent")
            try FileManager.default.setAttributes([.posixPermissions: 0o711], ofItemAtPath: work.directory.path)
            try FileManager.default.createDirectory(
                atPath: work.path("root"), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            _ = FileManager.default.createFile(
                atPath: victim, contents: nil, attributes: [.posixPermissions: 0o600])
            try makeTheirs()
        }

        private func makeTheirs() throws {
            try FileManager.default.createDirectory(
                atPath: theirs, withIntermediateDirectories: true,
                attributes: [
                    .posixPermissions: 0o700, .ownerAccountID: Int(user), .groupOwnerAccountID: Int(user),
                ])
        }

        /// Removes the files of the user's directory.
        func emptyTheirs() {
            for name in (try? names()) ?? [] { _ = unsafe unlink("\(theirs)/\(name)") }
        }

        /// Puts the store into the user's directory.
        func configure() throws {
            try work.write("[store]\npath = \"\(theirs)/keys.sqlite\"\n", to: "keyvigil.toml")
        }

        /// Root's files as they were: still root's, empty, and alone.
        func expectUntouched(_ location: SourceLocation = #_sourceLocation) throws {
            let status = try FileStatus(of: victim)
            #expect(status.owner == 0 && !status.isExposed && status.size == 0, sourceLocation: location)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: work.path("root")) == ["victim"],
                sourceLocation: location)
        }

        func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: theirs) }
    }

    /// A thread with the user's rights that puts symlinks in the place of files in the user's directory, and the files back,
    /// until it is stopped.
    final class Swapper: Sendable {
        private let isStopped = Atomic(false)
        private let swaps = Atomic(0)
        private let ended = DispatchSemaphore(value: 0)

        init(_ directory: String, _ names: [String], targets: [String]) throws {
            let owner = try DirectoryOwner(ofFile: directory + "/any")
            let thread = Thread { [self] in
                owner.act {
                    while !isStopped.load(ordering: .relaxed) {
                        for name in names {
                            for target in targets { swap("\(directory)/\(name)", for: target) }
                        }
                    }
                }
                ended.signal()
            }
            thread.start()
        }

        private func swap(_ path: String, for target: String) {
            let isThere = unsafe rename(path, path + ".kept") == 0
            if unsafe symlink(target, path) == 0 { swaps.add(1, ordering: .relaxed) }
            sched_yield()
            var status = stat()
            if unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK { _ = unsafe unlink(path) }
            if isThere { _ = unsafe rename(path + ".kept", path) }
        }

        func stop() -> Int {
            isStopped.store(true, ordering: .relaxed)
            ended.wait()
            return swaps.load(ordering: .relaxed)
        }
    }

    /// Opens the store of a path as root, as every verb does.
    private func open(_ path: String) throws -> Store {
        var bytes = Secret(capacity: 32)
        bytes.append(contentsOf: String(repeating: "p", count: 32).utf8)
        return try Store(path: path, pepper: Pepper(bytes), now: Instant(milliseconds: 1_800_000_000_000))
    }

    @Test(
        "whatever the user puts in the place of a store's files, none of root's is given away, read or written",
        arguments: [
            ["keys.sqlite"], ["keys.sqlite-wal", "keys.sqlite-shm"], ["witness-of-keys.sqlite"],
            ["witness-of-keys.sqlite-wal", "witness-of-keys.sqlite-shm"],
        ])
    func swappedFiles(_ names: [String]) throws {
        let scene = try Scene()
        let swapper = try Swapper(scene.theirs, names, targets: [scene.victim, scene.absent])
        for _ in 0..<80 {
            scene.emptyTheirs()
            // What comes of it is the user's own matter.
            try? open(scene.theirs + "/keys.sqlite").close()
        }
        #expect(swapper.stop() > 0)
        try scene.expectUntouched()
        // Nothing is left behind in the process: root is root again, and the store is the user's.
        scene.emptyTheirs()
        try open(scene.theirs + "/keys.sqlite").close()
        #expect(try FileStatus(of: scene.theirs + "/keys.sqlite").owner == Self.user)
        try Data().write(to: URL(filePath: scene.absent))
        #expect(try FileStatus(of: scene.absent).owner == 0)
    }

    @Test("a backup into the user's directory leads nowhere else")
    func swappedBackup() throws {
        let scene = try Scene()
        let store = try open(scene.work.path("keys.sqlite"))
        let swapper = try Swapper(scene.theirs, ["copy.part"], targets: [scene.victim, scene.absent])
        for _ in 0..<80 {
            scene.emptyTheirs()
            try? store.backUp(to: scene.theirs + "/copy")
        }
        #expect(swapper.stop() > 0)
        try scene.expectUntouched()
        try store.close()
    }

    @Test("the tool leads root nowhere else, whatever the user swaps")
    func swappedForTool() throws {
        let scene = try Scene()
        try scene.configure()
        #expect(try scene.work.keyvigil("create", "key", "--store", scene.work.path("own.sqlite")).status == 0)
        #expect(
            try scene.work.keyvigil("backup", scene.work.path("backup"), "--store", scene.work.path("own.sqlite"))
                .status == 0)
        try scene.work.write(#"{"name":"b","issuer":"external","prefix":"acme_12345678"}"#, to: "import.jsonl")
        let swapper = try Swapper(
            scene.theirs,
            [
                "pepper", "pepper.part", "keys.sqlite.daemon-lock", "keys.sqlite.import-lock", "keys.sqlite.part",
                "hooks.new", "keys.sqlite",
            ],
            targets: [scene.victim, scene.absent])
        for _ in 0..<6 {
            scene.emptyTheirs()
            for arguments in [
                ["create", "a"], ["import", scene.work.path("import.jsonl")], ["restore", scene.work.path("backup")],
                ["export-hook-list", scene.theirs + "/hooks"],
            ] {
                let outcome = try scene.work.run(
                    Workplace.binaries.appending(path: "keyvigil").path,
                    arguments + ["--config", scene.work.configuration])
                #expect([0, 2].contains(outcome.status), "\(arguments): \(outcome.errors)")
            }
        }
        #expect(swapper.stop() > 0)
        try scene.expectUntouched()
    }

    @Test("a backup and a list for hooks in the user's directory are the user's")
    func outputs() throws {
        let scene = try Scene()
        #expect(try scene.work.keyvigil("create", "key").status == 0)
        #expect(try scene.work.keyvigil("backup", scene.theirs + "/copy").status == 0)
        #expect(try scene.work.keyvigil("export-hook-list", scene.theirs + "/hooks").status == 0)
        #expect(try scene.names().sorted() == ["copy", "hooks"])
        for name in try scene.names() {
            #expect(try FileStatus(of: "\(scene.theirs)/\(name)").owner == Self.user, "\(name)")
        }
    }

    @Test("a symlink of the user's does not lead root's backup into a directory of root's")
    func symlinkedDirectory() throws {
        let scene = try Scene()
        #expect(try scene.work.keyvigil("create", "key").status == 0)
        let link = scene.theirs + "/here"
        try DirectoryOwner(ofFile: link).act {
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: scene.work.path("root"))
        }
        for verb in ["backup", "export-hook-list"] {
            let outcome = try scene.work.keyvigil(verb, link + "/new")
            #expect(outcome.status == 2 && outcome.errors.contains("\(Self.user) and root"), "\(outcome.errors)")
        }
        try scene.expectUntouched()
    }

    @Test("what root makes for the service is the service's from the start, and the service can use it")
    func ownership() throws {
        let scene = try Scene()
        try scene.configure()
        let created = try scene.work.keyvigil("create", "key")
        #expect(created.status == 0, "\(created.errors)")
        #expect(try scene.work.keyvigil("backup", scene.work.path("root/absent")).status == 0)
        #expect(try FileStatus(of: scene.absent).owner == 0)
        #expect(try scene.work.keyvigil("restore", scene.absent).status == 0)
        let names = try scene.names()
        #expect(Set(["keys.sqlite", "pepper", "witness-of-keys.sqlite"]).isSubset(of: Set(names)), "\(names)")
        for name in names {
            let status = try FileStatus(of: "\(scene.theirs)/\(name)")
            #expect(status.owner == Self.user && status.group == Self.user && !status.isExposed, "\(name)")
        }
        // The audit names who did it all the same.
        let actors = try scene.work.keyvigil("audit", "--json").objects.compactMap { $0["uid"] as? Int }
        #expect(Set(actors).subtracting([0]).isEmpty)
    }

    @Test("a directory in which others can put files is refused, with the command that closes it")
    func openDirectories() throws {
        let scene = try Scene()
        try scene.configure()
        #expect(try scene.work.keyvigil("create", "key").status == 0)
        for mode in [0o770, 0o707, 0o777] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: scene.theirs)
            let outcome = try scene.work.keyvigil("list")
            #expect(outcome.status == 2, "\(outcome.output)")
            #expect(
                outcome.errors.contains("hint: close it to them: chmod go-w \(scene.theirs)\n"), "\(outcome.errors)")
        }
        _ = try scene.work.run("/bin/chmod", ["go-w", scene.theirs])
        #expect(try scene.work.keyvigil("list").status == 0)
        // Beyond the store's own directory: one on the way to it, for root.
        let shared = scene.work.path("shared")
        try FileManager.default.createDirectory(atPath: shared + "/inner", withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: shared)
        let outcome = try scene.work.keyvigil("backup", shared + "/inner/copy")
        #expect(outcome.status == 2 && outcome.errors.contains("chmod go-w \(shared)\n"), "\(outcome.errors)")
    }

    @Test("in a directory such as /tmp a file that another user has put beside the store is refused")
    func plantedFiles() throws {
        let scene = try Scene()
        let sticky = scene.work.path("sticky")
        try FileManager.default.createDirectory(atPath: sticky, withIntermediateDirectories: false)
        try FileManager.default.setAttributes([.posixPermissions: 0o1777], ofItemAtPath: sticky)
        let store = sticky + "/keys.sqlite"
        #expect(try scene.work.keyvigil("create", "key", "--store", store).status == 0)
        for suffix in ["-wal", "-shm", "-journal"] {
            try? FileManager.default.removeItem(atPath: store + suffix)
            try DirectoryOwner(ofFile: scene.theirs + "/any").act {
                try Data("planted".utf8).write(to: URL(filePath: store + suffix))
            }
            let outcome = try scene.work.keyvigil("list", "--store", store)
            #expect(
                outcome.status == 2 && outcome.errors.contains("\(store)\(suffix) belongs to another user"),
                "\(outcome.errors)")
            try FileManager.default.removeItem(atPath: store + suffix)
        }
        #expect(try scene.work.keyvigil("list", "--store", store).status == 0)
    }
}
