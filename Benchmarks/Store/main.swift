// Measures the store against bare SQLite in the same run, and prints one line a case.
//
//   swift run -c release StoreBenchmark [KEYS] [CASE…]      KEYS is 1,000,000 unless said; cases are verify, timing, idle,
//                                                           list and sweep: all unless said
//
// Ratios are what counts: the floor is measured beside each case, on the same rows, in the same process.

import Foundation
import GRDB
import KeyStore
import Keys

let count = CommandLine.arguments.dropFirst().first.flatMap(Int.init) ?? 1_000_000
let directory = FileManager.default.temporaryDirectory.appending(path: "keyvigil-benchmark-\(getpid())")
try FileManager.default.createDirectory(
    at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
defer { try? FileManager.default.removeItem(at: directory) }
umask(0o077)

let bench = try StoreBench(directory: directory, count: count)
try bench.fill()
let cases = CommandLine.arguments.dropFirst(2)
func isWanted(_ name: String) -> Bool { cases.isEmpty || cases.contains(name) }
if isWanted("verify") { try bench.verify() }
if isWanted("timing") { try bench.timing() }
if isWanted("idle") { try bench.idleSweep() }
if isWanted("list") { try bench.list() }
if isWanted("sweep") { try bench.sweepDue(100_000) }
