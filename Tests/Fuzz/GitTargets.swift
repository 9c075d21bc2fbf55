import Foundation
import LeakScan
import SystemPackage

/// What a hostile repository may hold. Each target puts the input in the place of one file of a small real repository and
/// scans that: it must end, whatever stands there, and read nothing outside.
let gitTargets: [String: FuzzTarget] = [
    "pack": replacing(.pack), "pack-index": replacing(.packIndex), "midx": replacing(.multiPackIndex),
    "index-file": replacing(.index), "loose-object": replacing(.looseObject), "git-config": replacing(.config),
    "packed-refs": replacing(.packedRefs), "alternates": replacing(.alternates), "head": replacing(.head),
    "tree": object("tree"), "commit": object("commit"), "tag": object("tag"),
    "delta": FuzzTarget(bytes: Repository.shared.map { [$0.delta] } ?? []) { Repository.shared?.scan(delta: $0) },
    "content": FuzzTarget([
        "TOKEN = kv_fuzz_0123_abcdef", "a3ZfZnV6el8wMTIzX2FiY2RlZg==", "k\0v\0_\0f\0u\0z\0z\0_\0" + "0\01\02\03\0_\0",
        "kv%5Ffuzz%5F0123%5F", "kv\\u005ffuzz\\u005f0123_", "6b765f66757a7a5f303132335f",
    ]) { Repository.shared?.compareEngines(on: $0) },
]

private func replacing(_ place: Repository.Place) -> FuzzTarget {
    FuzzTarget(bytes: Repository.shared.flatMap { $0.original(place) }.map { [$0] } ?? [[]]) {
        Repository.shared?.scan(replacing: place, with: $0)
    }
}

private func object(_ kind: String) -> FuzzTarget {
    FuzzTarget(bytes: Repository.shared.map { $0.objects(kind) } ?? []) { Repository.shared?.scan(kind, payload: $0) }
}
