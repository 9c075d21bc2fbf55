import KeyStore

/// The reader of change sets: what it reads lies within the bytes, and it reads the same each time.
enum ChangeSetTarget {
    static let all: [FuzzTarget] = [
        FuzzTarget(
            "change-set", seeds: { seeds },
            run: { bytes in
                let set = ChangeSet(bytes: bytes)
                guard rows(set) == rows(set) else { FuzzFailure.stop("the same bytes are read in two ways") }
            })
    ]

    /// What is read before the end, or before the first fault.
    private static func rows(_ set: ChangeSet) -> [[SQLValue?]] {
        var rows: [[SQLValue?]] = []
        try? set.forEach { row in
            guard row.old.count == row.new.count else { FuzzFailure.stop("a row has two numbers of columns") }
            rows.append((row.old + row.new).map { row.content($0) })
        }
        return rows
    }

    /// An insertion, an update and a deletion in one table; an insertion in each of two.
    private static let seeds: [[UInt8]] = [
        table("keys", [1, 0, 0]) + [0x12, 0] + integer(7) + text("name") + [5] + [0x17, 0] + integer(7) + text("a") + [
            0, 0,
        ]
            + text("b") + [0] + [0x09, 1] + integer(9) + text("") + blob([1, 2, 3]),
        table("one", [1]) + [0x12, 0] + integer(-1) + table("two", [0, 1]) + [0x12, 0] + [5]
            + text(String(repeating: "x", count: 100)),
    ]

    private static func table(_ name: String, _ keys: [UInt8]) -> [UInt8] {
        [UInt8(ascii: "T"), UInt8(keys.count)] + keys + name.utf8 + [0]
    }

    private static func integer(_ number: Int64) -> [UInt8] {
        [1] + stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    private static func text(_ text: String) -> [UInt8] { [3, UInt8(text.utf8.count)] + text.utf8 }

    private static func blob(_ bytes: [UInt8]) -> [UInt8] { [4, UInt8(bytes.count)] + bytes }
}
