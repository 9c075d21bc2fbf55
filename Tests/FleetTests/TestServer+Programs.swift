import Foundation
import PostgreSQLServer
import Testing

extension TestServer {
    /// The statements that make a database again.
    func dump(_ database: String) throws -> String {
        try output(of: "pg_dump", ["-h", directory.path, "-U", "keyvigil", database])
            .split(separator: "\n", omittingEmptySubsequences: false)
            // Newer versions of pg_dump write a random word.
            .filter { !$0.hasPrefix("\\restrict") && !$0.hasPrefix("\\unrestrict") }.joined(separator: "\n")
    }

    /// Runs the statements of a dump, and goes on after those that fail.
    func restore(_ dump: String, to database: String) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "kv-dump-\(UUID().uuidString)")
        try Data(dump.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        _ = try output(of: "psql", ["-q", "-h", directory.path, "-U", "keyvigil", "-f", file.path, database])
    }

    private func output(of name: String, _ arguments: [String]) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = try #require(Self.binaries).appending(path: name)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return String(decoding: bytes, as: UTF8.self)
    }
}
