// Verifies in several processes, by the library, while the keys that they ask for are swept, and prints what they were answered.
//
//   swift run -c release VerifierBenchmark [KEYS] [PROCESSES]        100,000 and 8 unless said
//
// KEYS keys expire at one instant, and are swept as the daemon does it; some never expire, some are revoked. Every process asks
// for all kinds of them from before that instant until the sweep is over. It ends with status 1 if any answer is wrong, or if the
// store could not be asked.

import Foundation
import KeyStore
import Keys

umask(0o077)
let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.first == Caller.verb {
    try Caller(Array(arguments.dropFirst())).run()
} else {
    let bench = try VerifierBench(
        expiring: arguments.first.flatMap { Int($0) } ?? 100_000,
        processes: arguments.dropFirst().first.flatMap { Int($0) } ?? 8)
    exit(try bench.run() ? 0 : 1)
}
