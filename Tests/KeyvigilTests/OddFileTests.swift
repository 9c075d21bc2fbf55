import Foundation
import Glibc
import Testing

/// A pipe, a socket, a device or a folder in the place of a file that is read: said at once, and not opened.
@Suite("Input that is no file")
struct OddFileTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    private static let kinds = ["pipe", "socket", "device", "folder"]

    /// Puts something that is no file at a path.
    private func put(_ kind: String, at path: String) throws {
        try? FileManager.default.removeItem(atPath: path)
        switch kind {
        case "pipe": try #require(unsafe mkfifo(path, 0o600) == 0)
        case "socket": try #require(unsafe mknod(path, S_IFSOCK | 0o600, 0) == 0)
        case "device": try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/zero")
        default: try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
    }

    private func expectRefusal(_ outcome: Workplace.Outcome, of path: String, _ kind: String) {
        #expect(outcome.status == 2, "\(kind): \(outcome.output)")
        #expect(outcome.errors.contains(path) && outcome.errors.contains("\nhint: "), "\(kind): \(outcome.errors)")
    }

    @Test("in the place of the pepper, and of the store", arguments: ["pepper", "keys.sqlite"], kinds)
    func needed(_ name: String, _ kind: String) throws {
        _ = try work.create("key")
        let file = work.path(name)
        try put(kind, at: file)
        expectRefusal(try work.keyvigil("list"), of: file, kind)
    }

    @Test("in the place of a file that belongs to the store", arguments: kinds)
    func companions(_ kind: String) throws {
        _ = try work.create("key")
        for suffix in ["-wal", "-shm", "-journal"] {
            let file = work.path("keys.sqlite" + suffix)
            try put(kind, at: file)
            let outcome = try work.keyvigil("list")
            expectRefusal(outcome, of: file, kind)
            #expect(outcome.errors.contains("\(file) is no file"), "\(outcome.errors)")
            try FileManager.default.removeItem(atPath: file)
        }
        #expect(try work.keyvigil("list").status == 0)
    }

    @Test("in the place of the configuration, a part of it, or an issuer's profile", arguments: kinds)
    func configuration(_ kind: String) throws {
        try work.write("", to: "profiles/notes")
        for name in ["conf.d/a.toml", "profiles/a.toml", "keyvigil.toml"] {
            try work.configure("[issuers]\nfolders = [\"\(work.path("profiles"))\"]")
            try work.write("", to: name == "keyvigil.toml" ? "any" : name)
            try put(kind, at: work.path(name))
            expectRefusal(try work.keyvigil("check-config"), of: work.path(name), kind)
            try FileManager.default.removeItem(atPath: work.path(name))
        }
    }

    @Test("in the place of a backup to restore, and of lines to import", arguments: kinds)
    func input(_ kind: String) throws {
        _ = try work.create("key")
        let file = work.path("input")
        try put(kind, at: file)
        expectRefusal(try work.keyvigil("restore", file), of: file, kind)
        // A pipe is an ordinary way to import: `keyvigil import <(decrypt keys)`. Without a writer it is empty.
        let outcome = try work.keyvigil("import", file, "--issuer", "external")
        if kind == "pipe" { #expect(outcome.status == 0) } else { expectRefusal(outcome, of: file, kind) }
    }

    @Test("lines come through a pipe with a name")
    func pipeWithWriter() throws {
        let outcome = try work.run(
            "/bin/bash",
            [
                "-c",
                "\(Workplace.binaries.appending(path: "keyvigil").path) import --config \(work.configuration) "
                    + "<(echo '{\"name\":\"a\",\"issuer\":\"external\",\"prefix\":\"abcdefghi\"}')",
            ])
        #expect(outcome.status == 0 && outcome.output.contains("Imported 1 key"), "\(outcome.errors)")
    }

    @Test("in the place of the list for hooks", arguments: kinds)
    func hookList(_ kind: String) throws {
        let list = work.path("list")
        let repository = try work.repository("repository", ["a": "a"])
        try put(kind, at: list)
        let outcome = try work.run(
            "/bin/sh",
            [
                "-c",
                "cd \(repository) && \(Workplace.binaries.appending(path: "keyvigil").path) scan --staged --hook-list \(list) "
                    + "--config \(work.configuration)",
            ])
        expectRefusal(outcome, of: list, kind)
    }
}
