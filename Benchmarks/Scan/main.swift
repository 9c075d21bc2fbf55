import Foundation
import LeakScan
import Synchronization
import SystemPackage

// Parts of the scanner's benchmark (scan.sh), each in a process of its own so that its memory can be measured:
//
//   ScanBenchmark floor PACK                  inflates every entry of a pack, and does nothing else
//   ScanBenchmark brand|sign-ins COUNT REPO   scans history for that many prefixes, with a common start or without
//   ScanBenchmark again COUNT REPO            scans it, and then that many times again, with nothing new: the median of those
//   ScanBenchmark list COUNT                  prints those sign-ins, for other programs
//
// Prints seconds, and the peak of memory in MB, without the files that are mapped.

/// Sign-ins that share no start.
func signIn(_ number: Int) -> String {
    let digits = String(number &* 7919 &+ 100_000_000, radix: 36)
    return "\(String(digits.reversed()))-piper-\(digits):"
}

func scan(_ repository: String, _ count: Int, _ prefix: (Int) -> String) throws {
    var options = ScanOptions()
    options.searchesFiles = false
    var builder = SearchTermsBuilder(expecting: count)
    for number in 0..<count {
        let text = prefix(number)
        try builder.add(id: Int64(number), prefix: text.utf8, secretLengths: [text.utf8.count + 43])
    }
    // Arranging them is a part of every scan; making them up is not.
    let start = ContinuousClock.now
    let listing = try Scanner.list(FilePath(repository), options: options)
    let summary = try Scanner.scan(listing, terms: SearchTerms(builder), options: options) { _ in }
    report(ContinuousClock.now - start)
    guard summary.isComplete || summary.problems.allSatisfy(\.isNotice) else { exit(1) }
}

/// Remembers in memory what the store remembers on disk.
final class Memory: ScanMemory {
    private let done = Mutex<Set<ScanUnit>>([])

    func areDone(_ units: [ScanUnit]) -> [Bool] { done.withLock { done in units.map(done.contains) } }
    func remember(_ units: [ScanUnit]) { done.withLock { $0.formUnion(units) } }
}

func scanAgain(_ repository: String, _ count: Int) throws {
    let terms = try SearchTerms([SearchTerm(id: 1, prefix: Array("kv_live_Ab3dE6gH_".utf8))])
    let memory = Memory()
    var times: [Duration] = []
    for _ in 0...count {
        let start = ContinuousClock.now
        // All files are old enough to be remembered.
        let listing = try Scanner.list(
            FilePath(repository), options: ScanOptions(), at: Scanner.fileClock() + 10_000_000_000)
        _ = try Scanner.scan(
            listing, terms: terms, recognizer: NoSecretsKnown(), memory: memory, options: ScanOptions(),
            control: ScanControl()
        ) { memory.remember($0.done) }
        times.append(ContinuousClock.now - start)
    }
    report(times.dropFirst().sorted()[count / 2])
}

/// The most memory of its own (anonymous, not of mapped files) that the process has had, looked at every few milliseconds:
/// the system keeps the peak of both together only. In kB.
let peak = Atomic<Int>(0)

func watchMemory() {
    Thread.detachNewThread {
        while true {
            let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
            let now = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }.flatMap {
                Int($0.split(whereSeparator: \.isWhitespace)[1])
            }
            peak.max(now ?? 0, ordering: .relaxed)
            Thread.sleep(forTimeInterval: 0.005)
        }
    }
}

func report(_ time: Duration) {
    let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
    print(String(format: "%.4f %d", seconds, peak.load(ordering: .relaxed) / 1024))
}

watchMemory()
let arguments = CommandLine.arguments
switch (arguments.dropFirst().first, arguments.count) {
case ("floor", 3):
    let start = ContinuousClock.now
    try InflateFloor(pack: arguments[2]).run(threads: 2)
    report(ContinuousClock.now - start)
case ("brand", 4): try scan(arguments[3], Int(arguments[2]) ?? 1) { "kv_live_\(String($0 + 100_000_000, radix: 36))_" }
case ("sign-ins", 4): try scan(arguments[3], Int(arguments[2]) ?? 1, signIn)
case ("again", 4): try scanAgain(arguments[3], max(1, Int(arguments[2]) ?? 1))
case ("list", 3): for number in 0..<(Int(arguments[2]) ?? 1) { print(signIn(number)) }
default:
    let usage = "usage: ScanBenchmark floor PACK | brand|sign-ins|again COUNT REPO | list COUNT\n"
    FileHandle.standardError.write(Data(usage.utf8))
    exit(2)
}
