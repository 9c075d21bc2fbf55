import Foundation
import Testing

/// A folder with a configuration and a store, and the two programs to use them with. It goes away with the value.
final class Workplace {
    let directory: URL
    /// The programs under test: those of `KEYVIGIL_BINARIES` (an installed package, say), else those of this build.
    static let binaries: URL = {
        if let path = ProcessInfo.processInfo.environment["KEYVIGIL_BINARIES"] { return URL(filePath: path) }
        return Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent()
            ?? URL(filePath: ".build/debug")
    }()

    init(_ settings: String = "") throws {
        directory = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
            .appending(path: "keyvigil-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try configure(settings)
    }

    /// The daemon: the program under its other name.
    func daemon() throws -> String {
        let link = directory.appending(path: "keyvigild")
        if !FileManager.default.fileExists(atPath: link.path) {
            try FileManager.default.createSymbolicLink(
                at: link, withDestinationURL: Self.binaries.appending(path: "keyvigil"))
        }
        return link.path
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    func path(_ name: String) -> String { directory.appending(path: name).path }

    var configuration: String { path("keyvigil.toml") }

    /// Writes the configuration: the place of the store, and these settings.
    func configure(_ settings: String) throws {
        try write("[store]\npath = \"\(path("keys.sqlite"))\"\n\(settings)\n", to: "keyvigil.toml")
    }

    func write(_ text: String, to name: String) throws {
        let file = directory.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// What a program printed, and how it ended.
    struct Outcome {
        let status: Int32
        let output: String
        let errors: String

        /// The lines of the output as JSON objects.
        var objects: [[String: Any]] {
            output.split(separator: "\n").compactMap { line in
                (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
            }
        }
    }

    /// Runs the tool to its end.
    @discardableResult
    func keyvigil(_ arguments: String..., input: String = "", environment: [String: String] = [:]) throws -> Outcome {
        try run(
            Self.binaries.appending(path: "keyvigil").path, arguments + ["--config", configuration], input: input,
            environment: environment)
    }

    /// Runs any program to its end.
    func run(_ program: String, _ arguments: [String], input: String = "", environment: [String: String] = [:]) throws
        -> Outcome
    {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let inputPipe = Pipe()
        // Files, not pipes: nothing blocks, however much is printed.
        let outputFile = path("output-\(UUID().uuidString)")
        let errorFile = path("errors-\(UUID().uuidString)")
        for file in [outputFile, errorFile] { _ = FileManager.default.createFile(atPath: file, contents: nil) }
        process.standardInput = inputPipe
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: outputFile))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: errorFile))
        try process.run()
        try inputPipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try inputPipe.fileHandleForWriting.close()
        process.waitUntilExit()
        defer { for file in [outputFile, errorFile] { try? FileManager.default.removeItem(atPath: file) } }
        return Outcome(
            status: process.terminationStatus, output: try String(contentsOfFile: outputFile, encoding: .utf8),
            errors: try String(contentsOfFile: errorFile, encoding: .utf8))
    }

    /// Makes a key and returns its JSON.
    func create(_ name: String, _ options: String...) throws -> [String: Any] {
        let outcome = try run(
            Self.binaries.appending(path: "keyvigil").path,
            ["create", name, "--json", "--config", configuration] + options)
        return try #require(outcome.objects.first, "\(outcome.errors)")
    }

    /// A git repository with these files in one commit, made with git.
    func repository(_ name: String, _ files: [String: String]) throws -> String {
        let root = path(name)
        try git(root, "init", "-q", "-b", "main", root)
        try commit(root, files)
        return root
    }

    func commit(_ root: String, _ files: [String: String]) throws {
        for (file, text) in files { try write(text, to: "\(URL(filePath: root).lastPathComponent)/\(file)") }
        try git(root, "-C", root, "add", "-A")
        try git(root, "-C", root, "commit", "-q", "-m", "a commit")
    }

    func git(_ root: String, _ arguments: String...) throws {
        let outcome = try run(
            "/usr/bin/git", arguments,
            environment: [
                "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_AUTHOR_NAME": "Dan",
                "GIT_AUTHOR_EMAIL": "dan@example.org", "GIT_COMMITTER_NAME": "Dan",
                "GIT_COMMITTER_EMAIL": "dan@example.org", "GIT_AUTHOR_DATE": "2026-01-02T03:04:05+01:00",
                "GIT_COMMITTER_DATE": "2026-01-02T03:04:05+01:00",
            ])
        try #require(outcome.status == 0, "git \(arguments): \(outcome.errors)")
    }
}
