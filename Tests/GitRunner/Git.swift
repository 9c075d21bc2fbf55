import Foundation
package import SystemPackage

/// Runs git for the tests: to build repositories, and as an oracle. The product never does. No configuration of the user or
/// of the machine counts.
package struct Git: Sendable {
    package let folder: FilePath

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package init(_ folder: FilePath) { self.folder = folder }

    /// Makes a repository and returns the runner for it.
    package static func initialize(_ folder: FilePath, _ options: String...) throws -> Git {
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        let git = Git(folder)
        try git.run(["init", "--quiet", "--initial-branch=main"] + options)
        return git
    }

    @discardableResult
    package func run(_ arguments: [String], input: [UInt8] = [], environment extra: [String: String] = [:]) throws
        -> [UInt8]
    {
        var all: [UInt8] = []
        try unsafe read(arguments, input: input, environment: extra) { unsafe all.append(contentsOf: $0) }
        return all
    }

    /// Runs git, and passes on what it writes piece by piece, so that the output can be larger than memory.
    package func read(
        _ arguments: [String], input: [UInt8] = [], environment extra: [String: String] = [:],
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["git", "-C", folder.string] + arguments
        process.environment = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": "/nonexistent",
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C",
            "GIT_AUTHOR_NAME": "Monica", "GIT_AUTHOR_EMAIL": "monica@example.com",
            "GIT_AUTHOR_DATE": "1700000000 +0100", "GIT_COMMITTER_NAME": "Jared",
            "GIT_COMMITTER_EMAIL": "jared@example.com", "GIT_COMMITTER_DATE": "1700000000 +0100",
            "GIT_CONFIG_COUNT": "3", "GIT_CONFIG_KEY_0": "protocol.file.allow",
            "GIT_CONFIG_VALUE_0": "always",
            "GIT_CONFIG_KEY_1": "gc.auto", "GIT_CONFIG_VALUE_1": "0",
            "GIT_CONFIG_KEY_2": "safe.directory", "GIT_CONFIG_VALUE_2": "*",
        ].merging(extra) { $1 }
        let output = Pipe()
        let inputFile = FileManager.default.temporaryDirectory.appending(
            path: "keyvigil-in-\(UUID().uuidString)")
        try Data(input).write(to: inputFile)
        defer { try? FileManager.default.removeItem(at: inputFile) }
        process.standardInput = try FileHandle(forReadingFrom: inputFile)
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let descriptor = FileDescriptor(rawValue: output.fileHandleForReading.fileDescriptor)
        var piece = [UInt8](repeating: 0, count: 1 << 20)
        var reading: Result<Void, any Error> = .success(())
        while case .success = reading,
            let count = try? unsafe piece.withUnsafeMutableBytes({ try unsafe descriptor.read(into: $0) }), count > 0
        {
            reading = Result {
                try unsafe piece.withUnsafeBytes { try unsafe body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            }
        }
        try output.fileHandleForReading.close()
        process.waitUntilExit()
        try reading.get()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "git \(arguments.joined(separator: " ")) failed")
        }
    }

    package func text(_ arguments: String...) throws -> String {
        String(decoding: try run(arguments), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    package func git(_ arguments: String...) throws { try run(arguments) }

    package func commit(_ message: String, at seconds: Int = 1_700_000_000, author: String = "Monica") throws {
        try git("add", "--all")
        try run(
            ["commit", "--quiet", "--allow-empty", "--message", message],
            environment: [
                "GIT_AUTHOR_DATE": "\(seconds) +0100", "GIT_COMMITTER_DATE": "\(seconds) +0100",
                "GIT_AUTHOR_NAME": author,
            ])
    }
}
