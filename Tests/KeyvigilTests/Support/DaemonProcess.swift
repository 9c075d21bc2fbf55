import Foundation
import Synchronization
import Testing

/// A daemon in the foreground, whose lines are read as they come.
final class DaemonProcess: Sendable {
    private let process: Process
    private let lines = LineLog()

    /// - Parameter launcher: a program and its arguments that execute the daemon in their place.
    init(
        _ workplace: Workplace, environment: [String: String] = [:], arguments: [String] = ["--log", "terminal"],
        launcher: [String] = []
    ) throws {
        process = Process()
        let command =
            launcher + [try workplace.daemon(), "--config", workplace.configuration] + arguments
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let pipe = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let lines = self.lines
        let reader = pipe.fileHandleForReading
        Thread.detachNewThread {
            var rest = Data()
            while true {
                let data = reader.availableData
                if data.isEmpty { break }
                rest.append(data)
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    lines.add(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
                    rest = rest[(end + 1)...]
                }
            }
            lines.finish()
        }
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    /// All lines so far.
    var output: [String] { lines.all }

    /// The lines that report an event.
    func events(_ kind: String) -> [String] { output.filter { $0.contains(" \(kind) ") } }

    /// Waits until `count` lines hold the text. The deadline only ends a test that has failed.
    @discardableResult
    func wait(for text: String, count: Int = 1, location: SourceLocation = #_sourceLocation) throws -> String {
        let found = lines.wait(seconds: 30) { all in all.filter { $0.contains(text) }.count >= count }
        try #require(
            found, "'\(text)' did not come; there were:\n\(output.joined(separator: "\n"))", sourceLocation: location)
        return try #require(output.last { $0.contains(text) }, sourceLocation: location)
    }

    /// Waits until that many lines match.
    func waitForLines(
        _ count: Int, location: SourceLocation = #_sourceLocation, _ isMeant: @escaping (String) -> Bool
    ) throws {
        let found = lines.wait(seconds: 30) { $0.filter(isMeant).count >= count }
        try #require(
            found, "the lines did not come; there were:\n\(output.joined(separator: "\n"))", sourceLocation: location)
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Ends the daemon as an operator does, and returns its exit status.
    func stop(_ number: Int32 = SIGTERM) -> Int32 {
        signal(number)
        process.waitUntilExit()
        _ = lines.wait(seconds: 10) { _ in false }
        return process.terminationStatus
    }
}

/// Lines that one thread adds and others wait for.
private final class LineLog: Sendable {
    private let condition = NSCondition()
    private let state = Mutex<(lines: [String], isFinished: Bool)>(([], false))

    func add(_ line: String) {
        condition.withLock {
            state.withLock { $0.lines.append(line) }
            condition.broadcast()
        }
    }

    func finish() {
        condition.withLock {
            state.withLock { $0.isFinished = true }
            condition.broadcast()
        }
    }

    var all: [String] { state.withLock { $0.lines } }

    /// Waits until the lines satisfy a condition, the output has ended, or the time is over.
    func wait(seconds: Double, until isEnough: ([String]) -> Bool) -> Bool {
        let end = Date(timeIntervalSinceNow: seconds)
        return condition.withLock {
            while true {
                let (lines, isFinished) = state.withLock { ($0.lines, $0.isFinished) }
                if isEnough(lines) { return true }
                if isFinished || !condition.wait(until: end) { return false }
            }
        }
    }
}
