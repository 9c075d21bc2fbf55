import Foundation
import Testing

@Suite("Commands in hints")
struct HintCommandTests {
    /// To a shell it is one word only in quotes that allow for its own.
    private static let folder = "it's a $(touch odd); touch odd"

    let work: Workplace

    init() throws { work = try Workplace() }

    private func run(_ hint: Substring?, _ command: String) throws {
        let hint = try #require(hint)
        let start = try #require(hint.range(of: command)?.lowerBound)
        let done = try work.run(
            "/bin/sh", ["-ec", "cd \"$1\"; eval \"$2\"", "sh", work.path(""), String(hint[start...])])
        #expect(done.status == 0, "\(hint): \(done.errors)")
    }

    @Test("a command works when it is copied, whatever the path in it has, and does nothing else")
    func copied() throws {
        let folder = work.path(Self.folder)
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        let store = folder + "/keys.sqlite"
        #expect(try work.keyvigil("create", "shop", "--store", store).status == 0)
        for (path, permissions, command) in [(store, 0o644, "chmod 600 "), (folder, 0o777, "chmod go-w ")] {
            try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: path)
            let refused = try work.keyvigil("list", "--store", store)
            #expect(refused.status == 2, "\(refused.output)")
            try run(refused.errors.split(separator: "\n").first { $0.hasPrefix("hint: ") }, command)
            let listed = try work.keyvigil("list", "--store", store)
            #expect(listed.status == 0, "\(listed.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: work.path("odd")))
    }

    @Test("a store is named by its file: a symbolic link to it is said to be one")
    func link() throws {
        #expect(try work.keyvigil("create", "shop").status == 0)
        _ = try work.run("/bin/ln", ["-s", work.path("keys.sqlite"), work.path("link.sqlite")])
        let refused = try work.keyvigil(
            "list", "--store", work.path("link.sqlite"), environment: ["KEYVIGIL_PEPPER": work.path("pepper")])
        #expect(refused.status == 2 && refused.errors.contains("is a symbolic link"), "\(refused.errors)")
        #expect(refused.errors.contains("readlink -f \(work.path("link.sqlite"))"), "\(refused.errors)")
    }

    @Test("what is given for nothing is refused in words for it")
    func nothing() throws {
        let backup = try work.keyvigil("backup", "")
        #expect(
            backup.status == 2 && backup.errors.contains("the path of the file to make is empty"), "\(backup.errors)")
        let number = try work.keyvigil("incidents", "show", "-1")
        #expect(number.errors.contains("'-1' begins with a hyphen"), "\(number.errors)")
        try work.configure("[[scan.place]]\npth = \"/srv\"")
        let checked = try work.keyvigil("check-config")
        #expect(checked.status == 2 && checked.errors.contains(":4: unknown setting"), "\(checked.errors)")
        #expect(checked.errors.contains("did you mean 'path'?"), "\(checked.errors)")
    }
}
