// Coverage-guided fuzzing with libFuzzer (https://llvm.org/docs/LibFuzzer.html): `make fuzz`. One program holds all targets;
// the environment says which one runs, and where its first seeds are written:
//
//   KEYVIGIL_FUZZ_TARGET=period KEYVIGIL_FUZZ_SEEDS=corpus/period Fuzz corpus/period -max_total_time=60
//   KEYVIGIL_FUZZ_TARGET=list Fuzz
//
// A new target is one more entry in `targets`: seeds, and a function that traps where a promise is broken.

import Foundation

/// What is fuzzed.
struct FuzzTarget: Sendable {
    /// Inputs to begin with.
    let seeds: [[UInt8]]
    /// Must return for every input. A trap is a find.
    let run: @Sendable ([UInt8]) -> Void

    init(_ seeds: [String], run: @escaping @Sendable ([UInt8]) -> Void) {
        self.init(bytes: seeds.map { Array($0.utf8) }, run: run)
    }

    init(bytes seeds: [[UInt8]], run: @escaping @Sendable ([UInt8]) -> Void) {
        self.seeds = seeds
        self.run = run
    }
}

private let targets = inputTargets.merging(gitTargets) { first, _ in first }

private let environment = ProcessInfo.processInfo.environment
private let chosen = environment["KEYVIGIL_FUZZ_TARGET"].flatMap { targets[$0] }

/// Called by libFuzzer before everything else.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutableRawPointer) -> CInt {
    guard let chosen else {
        for name in targets.keys.sorted() { print(name) }
        exit(environment["KEYVIGIL_FUZZ_TARGET"] == "list" ? 0 : 2)
    }
    if let folder = environment["KEYVIGIL_FUZZ_SEEDS"] {
        for (number, seed) in chosen.seeds.enumerated() {
            try? Data(seed).write(to: URL(filePath: "\(folder)/seed-\(number)"))
        }
    }
    return 0
}

/// Called by libFuzzer for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    chosen?.run(bytes)
    return 0
}
