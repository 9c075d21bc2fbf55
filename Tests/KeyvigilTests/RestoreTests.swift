import Foundation
import Testing

@Suite("Restoring a store")
struct RestoreTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    func verify(_ secret: String) throws -> String? {
        try work.keyvigil("verify", "--json", input: secret).objects.first?["code"] as? String
    }

    func create(_ name: String) throws -> String {
        try #require(try work.create(name, "--expires", "never")["secret"] as? String)
    }

    var store: String { work.path("keys.sqlite") }

    /// Keys that end after a backup, each in another way, by their names.
    private func endedKeys() throws -> [String: String] {
        var secrets: [String: String] = [:]
        for name in ["stolen", "gone", "rotated", "quiet", "narrowed"] { secrets[name] = try create(name) }
        #expect(try work.keyvigil("backup", work.path("backup")).status == 0)
        #expect(try work.keyvigil("revoke", "stolen", "--reason", "laptop stolen").status == 0)
        #expect(try work.keyvigil("delete", "gone", "--yes").status == 0)
        #expect(try work.keyvigil("rotate", "rotated").status == 0)
        #expect(try work.keyvigil("edit", "narrowed", "--permission", "read").status == 0)
        secrets["late"] = try create("late")
        return secrets
    }

    private func expectOnHold(_ secrets: [String: String]) throws {
        for (name, code) in [
            ("stolen", "ON_HOLD"), ("gone", "ON_HOLD"), ("rotated", "ON_HOLD"), ("quiet", "VALID"),
            ("narrowed", "VALID"),
            ("late", "NOT_FOUND"),
        ] {
            #expect(try verify(try #require(secrets[name])) == code, "\(name)")
        }
        let held = try work.keyvigil("list", "--flag", "on_hold", "--json").objects
        #expect(held.compactMap { $0["on_hold_reason"] as? String }.sorted() == ["deleted", "revoked", "rotated"])
        #expect(try work.keyvigil("show", "stolen").output.contains("on hold"))
        let alerts = try work.keyvigil("alerts", "--from", "store", "--kind", "store.rolled_back", "--json").objects
        #expect(alerts.count == 1)
        let message = try #require(alerts.first?["message"] as? String)
        for name in ["'stolen' (revoked", "'gone' (deleted", "'rotated' (rotated", "edit: 'narrowed'"] {
            #expect(message.contains(name), "\(message)")
        }
        #expect(try work.keyvigil("audit", "verify").status == 0)
    }

    @Test("what a killed backup has left is removed by the next one, and nothing else is")
    func partialBackup() throws {
        _ = try create("key")
        let (copy, part) = (work.path("copy"), work.path("copy.part"))
        func leave(_ mode: Int) throws {
            for name in [part, part + "-journal"] {
                _ = FileManager.default.createFile(
                    atPath: name, contents: Data("half".utf8), attributes: [.posixPermissions: mode])
            }
        }
        func parts() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: work.directory.path).filter { $0.contains(".part") }
        }
        try leave(0o600)
        let whole = try work.keyvigil("backup", copy)
        #expect(whole.status == 0, "\(whole.errors)")
        #expect(try parts().isEmpty && work.keyvigil("list", "--store", store).status == 0)
        // Another process is at work on it.
        try FileManager.default.removeItem(atPath: copy)
        try leave(0o600)
        let other = unsafe open(part, O_RDWR)
        #expect(flock(other, LOCK_EX) == 0)
        let refused = try work.keyvigil("backup", copy)
        #expect(
            refused.status == 2 && refused.errors.contains("another keyvigil is making \(copy)"), "\(refused.errors)")
        #expect(try Data(contentsOf: URL(filePath: part)) == Data("half".utf8))
        close(other)
        #expect(try work.keyvigil("backup", copy).status == 0)
        // Something of another program.
        try FileManager.default.removeItem(atPath: copy)
        try leave(0o644)
        let strange = try work.keyvigil("backup", copy)
        #expect(strange.status == 2 && strange.errors.contains("\(part) is in the way"), "\(strange.errors)")
        #expect(try Data(contentsOf: URL(filePath: part)) == Data("half".utf8))
        for name in try parts() { try FileManager.default.removeItem(atPath: work.path(name)) }
        // Killed for real, as soon as it has begun.
        let process = Process()
        process.executableURL = Workplace.binaries.appending(path: "keyvigil")
        process.arguments = ["backup", copy, "--config", work.configuration]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        while process.isRunning, !FileManager.default.fileExists(atPath: part) { sched_yield() }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(atPath: copy)
        #expect(try work.keyvigil("backup", copy).status == 0)
        #expect(try parts().isEmpty)
    }

    @Test("a restore keeps what was there, and holds what would come alive again, until a person decides")
    func command() throws {
        let secrets = try endedKeys()
        let restored = try work.keyvigil("restore", work.path("backup"), "--json")
        #expect(restored.status == 0, "\(restored.errors)")
        let answer = try #require(restored.objects.first)
        #expect((answer["on_hold"] as? [String])?.count == 3 && answer["rolled_back"] as? Bool == true)
        let previous = try #require(answer["previous"] as? String)
        #expect(FileManager.default.fileExists(atPath: previous))
        let mode = try FileManager.default.attributesOfItem(atPath: store)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        try expectOnHold(secrets)

        #expect(try work.keyvigil("release", "quiet").status == 2)
        #expect(try work.keyvigil("rotate", "stolen").errors.contains("keyvigil release"))
        #expect(try work.keyvigil("release", "gone").status == 0)
        #expect(try verify(try #require(secrets["gone"])) == "VALID")
        #expect(try work.keyvigil("revoke", "stolen").status == 0)
        #expect(try verify(try #require(secrets["stolen"])) == "REVOKED")
        // A new secret lets the key live, not the old one.
        let new = try #require(
            try work.keyvigil("rotate", "rotated", "--overlap", "1d", "--json").objects.first?["secret"] as? String)
        #expect(try verify(new) == "VALID" && verify(try #require(secrets["rotated"])) == "NOT_FOUND")

        // The same backup once more: what was released stays so, what was not is on hold again.
        #expect(try work.keyvigil("restore", work.path("backup")).status == 0)
        #expect(try verify(try #require(secrets["stolen"])) == "ON_HOLD")
        #expect(try verify(try #require(secrets["gone"])) == "VALID")
        #expect(try verify(try #require(secrets["rotated"])) == "ON_HOLD")
    }

    @Test("a restore that is undone holds what had ended in between, and nothing else")
    func undone() throws {
        let secret = try #require(try work.create("key", "--owner", "ana")["secret"] as? String)
        #expect(try work.keyvigil("backup", work.path("early")).status == 0)
        let others = try (1...4).map { try #require(try work.create("other\($0)")["secret"] as? String) }
        #expect(try work.keyvigil("revoke", "other1").status == 0)
        let restored = try work.keyvigil("restore", work.path("early"), "--json")
        let previous = try #require(restored.objects.first?["previous"] as? String)
        #expect(try work.keyvigil("revoke", "key").status == 0)
        #expect(try verify(secret) == "REVOKED")
        // The histories have parted: the longer one does not have the revocation.
        let back = try work.keyvigil("restore", previous)
        #expect(back.status == 0 && back.output.contains("have parted") && !back.output.contains("older"), "\(back)")
        #expect(try verify(secret) == "ON_HOLD")
        #expect(try others.dropFirst().map { try verify($0) } == ["VALID", "VALID", "VALID"])
        let held = try work.keyvigil("list", "--flag", "on_hold", "--json").objects.compactMap { $0["name"] as? String }
        #expect(held == ["key"])
    }

    @Test("what is proposed for a key on hold can be done, and release says that what it accepts has leaked")
    func remediesOnHold() throws {
        let secret = try #require(try work.create("stolen", "--owner", "ana")["secret"] as? String)
        _ = try work.create("replaced", "--owner", "ana")
        try work.write("k = \(secret)\n", to: "srv/leak")
        _ = try work.keyvigil("scan", work.path("srv"))
        #expect(try work.keyvigil("backup", work.path("early")).status == 0)
        #expect(try work.keyvigil("revoke", "stolen").status == 0)
        #expect(try work.keyvigil("rotate", "replaced").status == 0)
        #expect(try work.keyvigil("restore", work.path("early")).status == 0)
        let shown = try work.keyvigil("show", "stolen").output
        #expect(!shown.contains("keyvigil rotate") && shown.contains("keyvigil revoke"), "\(shown)")
        #expect(try work.keyvigil("show", "replaced").output.contains("to give it a new secret: keyvigil rotate"))
        #expect(try work.keyvigil("rotate", "replaced").status == 0)
        let released = try work.keyvigil("release", "stolen")
        #expect(released.errors.contains("a secret of it that has leaked works again"), "\(released.errors)")
    }

    @Test("of a held key that is on hold no word says that its issuer refuses it")
    func heldKey() throws {
        let line = #"{"name":"bank","issuer":"external","prefix":"acme_12345678","owner":"ana"}"#
        try #require(try work.keyvigil("import", input: line + "\n").status == 0)
        #expect(try work.keyvigil("backup", work.path("backup")).status == 0)
        #expect(try work.keyvigil("revoke", "bank", "--done").status == 0)
        let restored = try work.keyvigil("restore", work.path("backup"))
        #expect(restored.status == 0 && restored.output.contains("on hold: 'bank'"))
        let shown = try work.keyvigil("show", "bank").output
        #expect(shown.contains("is recorded as refused since") && !shown.contains("it is refused"), "\(shown)")
        #expect(try work.keyvigil("show", "bank", "--json").objects.first?["status_words"] as? String == "on hold")
        let released = try work.keyvigil("release", "bank").output
        #expect(released.contains("This changes nothing at ") && !released.contains("accepted"), "\(released)")
        #expect(try work.keyvigil("show", "bank", "--json").objects.first?["status_words"] as? String == "active")
    }

    @Test("a store that cannot be read is set aside, and that it could not be asked is said in JSON too")
    func unreadable() throws {
        _ = try create("kept")
        #expect(try work.keyvigil("backup", work.path("backup")).status == 0)
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: store + suffix) }
        var damaged = try Data(contentsOf: work.directory.appending(path: "keys.sqlite"))
        damaged.replaceSubrange(100..<damaged.count, with: Data(repeating: 0xA5, count: damaged.count - 100))
        try damaged.write(to: work.directory.appending(path: "keys.sqlite"))
        let restored = try work.keyvigil("restore", work.path("backup"), "--json")
        #expect(restored.status == 0, "\(restored.errors)")
        #expect(restored.objects.first?["unread"] is String && restored.objects.first?["previous"] is String)
        #expect(try work.keyvigil("list", "--json").objects.compactMap { $0["name"] as? String } == ["kept"])
    }

    @Test("a copy over the store is noticed like a restore; the same store is no roll-back")
    func copied() throws {
        let secrets = try endedKeys()
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: store + suffix) }
        try FileManager.default.copyItem(atPath: work.path("backup"), toPath: store)
        #expect(try work.keyvigil("list").status == 0)
        try expectOnHold(secrets)
        #expect(try work.keyvigil("backup", work.path("second")).status == 0)
        #expect(
            try work.keyvigil("restore", work.path("second"), "--json").objects.first?["rolled_back"] as? Bool == false)
        try expectOnHold(secrets)
    }

    @Test("a backup over a store whose log was left is refused, and never mixed with it")
    func foreignLog() throws {
        let first = try create("first")
        #expect(try work.keyvigil("backup", work.path("backup")).status == 0)
        // The log of a program that was killed.
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "daemon.started")
        _ = try create("second")
        _ = daemon.stop(SIGKILL)
        let log = try FileManager.default.attributesOfItem(atPath: store + "-wal")[.size] as? Int
        #expect(log ?? 0 > 0)
        let backup = try Data(contentsOf: work.directory.appending(path: "backup"))
        let file = try FileHandle(forWritingTo: work.directory.appending(path: "keys.sqlite"))
        try file.truncate(atOffset: 0)
        try file.write(contentsOf: backup)
        try file.close()
        let refused = try work.keyvigil("list")
        #expect(refused.status == 2 && refused.errors.contains("keyvigil restore \(store)"), "\(refused.errors)")
        #expect(try Data(contentsOf: work.directory.appending(path: "keys.sqlite")) == backup)
        // The hint's command takes it into use.
        #expect(try work.keyvigil("restore", store).status == 0)
        #expect(try work.keyvigil("list", "--json").objects.compactMap { $0["name"] as? String } == ["first"])
        #expect(try verify(first) == "VALID")
        #expect(try work.keyvigil("audit", "verify").status == 0)
    }

    @Test(
        "a backup that is copied over the store of a running daemon ends it before it writes there",
        arguments: [false, true])
    func overwritten(isEndedAtOnce: Bool) throws {
        _ = try create("first")
        #expect(try work.keyvigil("backup", work.path("backup")).status == 0)
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "daemon.started")
        _ = try create("second")
        let backup = try Data(contentsOf: work.directory.appending(path: "backup"))
        let file = try FileHandle(forWritingTo: work.directory.appending(path: "keys.sqlite"))
        try file.write(contentsOf: backup)
        try file.truncate(atOffset: UInt64(backup.count))
        try file.close()
        if !isEndedAtOnce { try daemon.wait(for: "copied over the store") }
        #expect(daemon.stop() == 3)
        #expect(try Data(contentsOf: work.directory.appending(path: "keys.sqlite")) == backup)
        #expect(try work.keyvigil("restore", store).status == 0)
        #expect(try work.keyvigil("list", "--json").objects.compactMap { $0["name"] as? String } == ["first"])
        #expect(try work.keyvigil("audit", "verify").status == 0)
    }

    @Test("what is no backup of this store is refused, and the store stays as it was")
    func refusals() throws {
        let secret = try create("kept")
        let missing = try work.keyvigil("restore", work.path("nowhere"))
        #expect(missing.status == 2 && missing.errors.contains("there is no file "), "\(missing.errors)")
        #expect(try work.keyvigil("backup", work.path("backup")).status == 0)
        let other = try Workplace()
        _ = try other.create("other")
        #expect(try other.keyvigil("backup", work.path("foreign")).status == 0)
        try work.write("not a store at all, by any measure", to: "text")
        var damaged = try Data(contentsOf: work.directory.appending(path: "backup"))
        for index in 8_192..<20_000 { damaged[index] = 0x5A }
        try damaged.write(to: work.directory.appending(path: "damaged"))
        for (file, part) in [
            ("foreign", "pepper"), ("text", "not a Keyvigil store"), ("damaged", "damaged"), ("none", "none"),
        ] {
            let refused = try work.keyvigil("restore", work.path(file))
            #expect(refused.status == 2 && refused.errors.contains(part), "\(file): \(refused.errors)")
            #expect(!refused.errors.contains("restoring"), "\(refused.errors)")
        }
        #expect(try verify(secret) == "VALID")
        let files = try FileManager.default.contentsOfDirectory(atPath: work.directory.path)
        #expect(!files.contains { $0.contains("restor") })
    }

    @Test("a running daemon keeps its store")
    func running() throws {
        _ = try create("kept")
        #expect(try work.keyvigil("backup", work.path("backup")).status == 0)
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "daemon.started")
        let refused = try work.keyvigil("restore", work.path("backup"))
        #expect(refused.status == 2 && refused.errors.contains("systemctl stop 'keyvigil*'"))
        #expect(daemon.stop() == 0)
        #expect(try work.keyvigil("restore", work.path("backup")).status == 0)
    }

    @Test("a missing store beside a pepper is no reason to make an empty one")
    func missing() throws {
        let secret = try create("kept")
        #expect(try work.keyvigil("backup", work.path("backup")).status == 0)
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: store + suffix) }
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "keyvigil restore FILE")
        for arguments in [["create", "new"], ["list"], ["status"]] {
            let refused = try work.run(
                Workplace.binaries.appending(path: "keyvigil").path, arguments + ["--config", work.configuration])
            #expect(refused.status == 2 && refused.errors.contains("keyvigil restore"), "\(refused.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: store))
        #expect(try work.keyvigil("restore", work.path("backup")).status == 0)
        #expect(try verify(secret) == "VALID")
    }
}
