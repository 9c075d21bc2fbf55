import CFuzzer
import Foundation
import FuzzTargets

// Feeds one target, or all of them, with damaged inputs.
//
//   Fuzz list
//   Fuzz TARGET|all [RUNS] [SEED]
//
// Built with -sanitize=fuzzer, libFuzzer chooses the inputs of a single target:
//
//   Fuzz TARGET CORPUS-FOLDER [libFuzzer's options]
//
// The input of a crash is kept: libFuzzer writes it beside itself, and `Fuzz TARGET FILE` runs it again.

let arguments = CommandLine.arguments
func fail(_ what: String, _ hint: String) -> Never {
    FileHandle.standardError.write(Data("fuzz: error: \(what)\nhint: \(hint)\n".utf8))
    exit(2)
}

let names = FuzzTarget.all.map(\.name).joined(separator: ", ")
guard arguments.count > 1 else { fail("no target is named", "name one of these, or all: \(names)") }
if arguments[1] == "list" {
    for target in FuzzTarget.all { print(target.name) }
    exit(0)
}
let chosen = FuzzTarget.all.filter { arguments[1] == "all" || $0.name == arguments[1] }
guard let target = chosen.first else {
    fail("there is no target \(arguments[1])", "name one of these, or all: \(names)")
}

/// For the C function that libFuzzer calls, which can hold nothing.
nonisolated(unsafe) var running: FuzzTarget?

if fuzzer_is_here() != 0 {
    guard chosen.count == 1, arguments.count > 2 else {
        fail("libFuzzer takes one target and a folder", "Fuzz \(target.name) corpus-\(target.name)")
    }
    // An input to run again is a file; the corpus is a folder.
    if (try? Data(contentsOf: URL(filePath: arguments[2]))) == nil {
        let corpus = URL(filePath: arguments[2])
        try FileManager.default.createDirectory(at: corpus, withIntermediateDirectories: true)
        for (number, seed) in try target.seeds().enumerated() {
            try Data(seed).write(to: corpus.appending(path: "seed-\(number)"))
        }
    }
    unsafe running = target
    let words = [arguments[0]] + arguments.dropFirst(2)
    var pointers = unsafe words.map { unsafe strdup($0) } + [nil]
    let status = unsafe pointers.withUnsafeMutableBufferPointer { buffer in
        unsafe fuzzer_run(CInt(words.count), buffer.baseAddress) { data, size in
            let bytes = unsafe UnsafeBufferPointer(start: data, count: size)
            unsafe running?.run(Array(bytes))
            return 0
        }
    }
    exit(status)
}

if arguments.count > 2, Int(arguments[2]) == nil {
    target.run([UInt8](try Data(contentsOf: URL(filePath: arguments[2]))))
    exit(0)
}
let runs = arguments.count > 2 ? Int(arguments[2]) ?? 0 : 10_000
let seed = arguments.count > 3 ? UInt64(arguments[3]) ?? 1 : 1
for target in chosen {
    var mutator = Mutator(seeds: try target.seeds(), seed: seed)
    let crashed = URL(filePath: "fuzz-\(target.name)-crash")
    for _ in 0..<runs {
        let input = mutator.next()
        // Written first: a crash leaves no time for it.
        try Data(input).write(to: crashed)
        target.run(input)
    }
    try? FileManager.default.removeItem(at: crashed)
    print("\(target.name): \(runs) inputs, seed \(seed)")
}
