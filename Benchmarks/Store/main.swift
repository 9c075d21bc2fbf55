// Measures the store against bare SQLite in the same run, and prints one line a case.
//
//   swift run -c release StoreBenchmark [KEYS] [CASE…]      KEYS is 1,000,000 unless said; cases are verify, timing, idle,
//                                                           list, prefixes, findings and sweep: all unless
//                                                           said
//
// Ratios are what counts: the floor is measured beside each case, on the same rows, in the same process.

import Foundation
import KeyStore
import Keys

// As the programs do.
SQLiteLibrary.omitMemoryStatistics()
let count = CommandLine.arguments.dropFirst().first.flatMap(Int.init) ?? 1_000_000
let directory = FileManager.default.temporaryDirectory.appending(path: "keyvigil-benchmark-\(getpid())")
try FileManager.default.createDirectory(
    at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
defer { try? FileManager.default.removeItem(at: directory) }
umask(0o077)

let bench = try StoreBench(directory: directory, count: count)
try bench.fill()
let cases = CommandLine.arguments.dropFirst(2)
func run(_ name: String, _ body: () throws -> Void) rethrows {
    guard cases.isEmpty || cases.contains(name) else { return }
    try body()
    fflush(nil)
}
try run("verify") { try bench.verify() }
try run("timing") { try bench.timing() }
try run("idle") { try bench.idleSweep() }
try run("list") { try bench.list() }
try run("prefixes") { try bench.prefixes() }
try run("findings") { for findings in [1_000, 20_000, 200_000] { try bench.findings(findings) } }
try run("sweep") { try bench.sweepDue(100_000) }
