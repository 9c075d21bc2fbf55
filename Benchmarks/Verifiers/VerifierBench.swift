import Foundation
import KeyStore
import Keys

/// Makes the store, starts the processes, and sweeps.
struct VerifierBench {
    private let directory: URL
    private let population: Population
    private let processes: Int
    private let store: Store
    private let actor = AuditActor(uid: 0, program: "benchmark")

    private var storePath: String { directory.appending(path: "keys.sqlite").path }
    private var pepperPath: String { directory.appending(path: "pepper").path }

    init(expiring: Int, processes: Int) throws {
        self.processes = processes
        directory = FileManager.default.temporaryDirectory.appending(path: "keyvigil-benchmark-\(getpid())")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let bytes = (0..<32).map { _ in UInt8.random(in: 0...255) }
        var pepper = Secret(capacity: 32)
        for byte in bytes { pepper.append(byte) }
        _ = FileManager.default.createFile(
            atPath: directory.appending(path: "pepper").path, contents: Data(bytes),
            attributes: [.posixPermissions: 0o600])
        store = try Store(
            path: directory.appending(path: "keys.sqlite").path, pepper: try Pepper(pepper), now: Population.now)
        // Long enough for the import, and for the processes to begin.
        let ahead = Int64(10_000 + expiring / 2)
        population = Population(
            expiring: expiring, expiry: Instant(milliseconds: Population.now.milliseconds + ahead))
    }

    /// - Returns: whether each answer was right, and none was missing.
    func run() throws -> Bool {
        defer { try? FileManager.default.removeItem(at: directory) }
        try fill()
        guard Population.now < population.expiry else { throw InputError("the import took longer than the keys last") }
        let callers = try (0..<processes).map { try start($0) }
        let wait = Double(population.expiry.milliseconds - Population.now.milliseconds) / 1000
        Thread.sleep(forTimeInterval: max(0, wait))
        var (swept, longest) = (0, 0.0)
        var pacer = BatchPacer()
        let clock = ContinuousClock()
        let beginning = clock.now
        while true {
            let began = clock.now
            let result = try store.sweep(at: Population.now, limit: pacer.limit, by: actor)
            let took = (clock.now - began) / .milliseconds(1)
            pacer.note(Int64(took), isFull: result.isIncomplete)
            longest = max(longest, took)
            swept += result.keys
            if !result.isIncomplete { break }
        }
        let took = (clock.now - beginning) / .seconds(1)
        print(
            "swept \(swept) keys in \(text(took)) s, the longest batch took \(text(longest)) ms; "
                + "\(processes) processes verify beside it")
        let isRight = try callers.map { try end($0) }.allSatisfy { $0 }
        return isRight && swept == population.expiring
    }

    private func fill() throws {
        var generator = SystemRandomNumberGenerator()
        let now = Population.now
        _ = try store.importKeys(using: &generator, at: now, by: actor) { importer in
            for number in 0..<population.count {
                let text = population.secret(number)
                var secret = Secret(capacity: text.utf8.count)
                secret.append(contentsOf: text.utf8)
                try importer.add(
                    NewKey(
                        name: "key \(number)", owner: "ana", permissions: try PermissionSet(parsing: ["read"]),
                        expiresAt: population.kind(number) == .expiring ? population.expiry : nil),
                    .whole(secret, prefixLength: Population.prefixLength))
            }
            return true
        }
        for number in 0..<population.count where population.kind(number) == .revoked {
            _ = try store.revoke("key \(number)", reason: "benchmark", at: now, by: actor)
        }
    }

    private struct Running {
        let process: Process
        let input: Pipe
        let output: Pipe
    }

    private func start(_ number: Int) throws -> Running {
        let running = Running(process: Process(), input: Pipe(), output: Pipe())
        running.process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        running.process.arguments =
            Caller(store: storePath, pepper: pepperPath, population, first: number * population.count / processes)
            .arguments
        running.process.standardInput = running.input
        running.process.standardOutput = running.output
        try running.process.run()
        return running
    }

    private func end(_ running: Running) throws -> Bool {
        try running.input.fileHandleForWriting.close()
        let lines = String(decoding: running.output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            .split(separator: "\n")
        running.process.waitUntilExit()
        let figures = (lines.last ?? "").split(separator: " ")
        guard figures.first == "done", figures.count == 6 else {
            print("a process ended early: \(lines.last ?? "")")
            return false
        }
        print(
            "\(figures[1]) answers, \(figures[2]) wrong, \(figures[3]) errors; "
                + "p99 \(text(Double(figures[4]) ?? 0)) ms, longest \(text(Double(figures[5]) ?? 0)) ms")
        for line in lines.dropLast().prefix(3) { print(line) }
        return figures[2] == "0" && figures[3] == "0"
    }

    private func text(_ number: Double) -> String { String(format: "%.2f", number) }
}
