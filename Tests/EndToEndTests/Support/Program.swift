import Dispatch
import Foundation
import Glibc
import Synchronization

/// A program run to its end, or followed line by line; never longer than its deadline.
final class Program: Sendable {
    /// What a finished program left.
    struct Result: Sendable {
        let status: Int32
        let output: String
        let errors: String
    }

    /// The program did not end in time, or a line that was waited for did not come.
    struct TimedOut: Error, CustomStringConvertible {
        let description: String
    }

    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let isLate = Atomic<Bool>(false)
    private let rest = Mutex<[UInt8]>([])
    private let name: String

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - errors: Where standard error goes; nil for the test's own.
    ///   - seconds: After this time it is killed, and everything that waits for it ends.
    init(_ arguments: [String], errors: FileHandle? = nil, seconds: Int) throws {
        name = arguments.joined(separator: " ")
        process.executableURL = URL(fileURLWithPath: arguments[0])
        process.arguments = Array(arguments.dropFirst())
        process.standardInput = input
        process.standardOutput = output
        if let errors { process.standardError = errors }
        try process.run()
        try output.fileHandleForWriting.close()
        let id = process.processIdentifier
        let queue = DispatchQueue(label: "test.deadline")
        queue.asyncAfter(deadline: .now() + .seconds(seconds)) { [weak self] in
            // Gone already, or waited for: then nothing is late.
            guard let self, process.isRunning else { return }
            isLate.store(true, ordering: .relaxed)
            Self.killGroup(id)
        }
    }

    /// Runs a program to its end with nothing, or a text, as its input.
    static func run(_ arguments: [String], input text: String = "", seconds: Int = 60) throws -> Result {
        let errors = Pipe()
        let program = try Program(arguments, errors: errors.fileHandleForWriting, seconds: seconds)
        try errors.fileHandleForWriting.close()
        // Both pipes must be emptied at the same time, else a full one stops the program.
        let collected = Mutex<Data>(Data())
        let group = DispatchGroup()
        let reading = errors.fileHandleForReading
        DispatchQueue(label: "test.errors").async(group: group) {
            let all = reading.readDataToEndOfFile()
            collected.withLock { $0 = all }
        }
        try program.input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        let output = program.endOfOutput()
        let status = program.finish()
        group.wait()
        let result = Result(
            status: status, output: output, errors: String(decoding: collected.withLock { $0 }, as: UTF8.self)
        )
        if program.isLate.load(ordering: .relaxed) {
            throw TimedOut(description: "\(program.name) did not end: \(result)")
        }
        return result
    }

    /// The next line of output; nil at the end, which comes at the deadline at the latest.
    func line() -> String? {
        while true {
            let line = rest.withLock { rest -> String? in
                guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
                defer { rest.removeSubrange(...end) }
                return String(decoding: rest[..<end], as: UTF8.self)
            }
            if let line { return line }
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { return nil }
            rest.withLock { $0 += more }
        }
    }

    /// Ends a program that is followed.
    func cancel() {
        Self.killGroup(process.processIdentifier)
        finish()
    }

    /// Foundation gives each program a process group; nsenter's child, which holds the pipe, is in it.
    private static func killGroup(_ id: Int32) { kill(-id, SIGKILL) }

    /// Closes its input and waits for its end.
    @discardableResult
    func finish() -> Int32 {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
        return process.terminationStatus
    }

    private func endOfOutput() -> String {
        try? input.fileHandleForWriting.close()
        return String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
}
