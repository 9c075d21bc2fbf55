import Foundation
import Glibc
import Testing

/// A program that a test runs: it writes lines, and stops at the end of its input.
final class Child {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var pending: [UInt8] = []

    var id: Int32 { process.processIdentifier }

    init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try output.fileHandleForWriting.close()
    }

    /// The next line of its output, or nil at the end. Blocks; the time limit of the test bounds the wait.
    func line() -> String? {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                defer { pending.removeSubrange(...end) }
                return String(decoding: pending[..<end], as: UTF8.self)
            }
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { return nil }
            pending += more
        }
    }

    /// All remaining lines.
    func lines() -> [String] {
        var all: [String] = []
        while let next = line() { all.append(next) }
        return all
    }

    func signal(_ number: Int32) { kill(id, number) }

    /// Closes its input and waits for its end.
    @discardableResult
    func finish() -> Int32 {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
        return process.terminationStatus
    }
}

/// The location of the programs of this build.
enum Build {
    /// The directory of the test bundle, which also contains the programs.
    static var folder: URL {
        let arguments = CommandLine.arguments
        let bundle =
            arguments.firstIndex(of: "--test-bundle-path").map { arguments[$0 + 1] } ?? arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent()
    }

    static var probe: String { folder.appendingPathComponent("SystemdProbe").path }
}

/// A directory that is removed with the test.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/keyvigil-test.XXXXXX".utf8CString)
        guard
            unsafe template.withUnsafeMutableBufferPointer({
                unsafe $0.baseAddress.flatMap { unsafe mkdtemp($0) } != nil
            })
        else {
            throw POSIXError(.EIO)
        }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: path + "/" + name, atomically: false, encoding: .utf8)
    }
}

var isRoot: Bool { geteuid() == 0 }
