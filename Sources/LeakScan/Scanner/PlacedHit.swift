/// A hit with its line and column.
struct PlacedHit: Equatable {
    var start: UInt64
    var term: UInt32
    var secret: Int64?
    var form = Form.plain
    /// From 1, in lines and bytes; 0 in things that have no lines.
    var line: Int
    var column: Int
    /// Where in an archive it stands: the entry's path; offset, line and column are those in the entry.
    var inside: [UInt8]?

    /// The path of the place, for that of the file or object.
    func path(in outer: [UInt8]) -> [UInt8] { inside.map { outer + Array("!/".utf8) + $0 } ?? outer }
}

/// Counts lines through an object, of which it may be shown one piece after another.
struct LineCounter {
    private var line = 1
    private var lineStart: UInt64 = 0
    /// How far lines were counted.
    private var position: UInt64 = 0

    /// Counts up to `end`, which must lie within `bytes` or just past them.
    ///
    /// - Parameter base: the offset of `bytes` in the object; at most the position that was counted so far.
    mutating func advance(to end: UInt64, in bytes: Span<UInt8>, base: UInt64) {
        guard position < end else { return }
        for index in Int(position - base)..<Int(end - base) where bytes[index] == UInt8(ascii: "\n") {
            line += 1
            lineStart = base + UInt64(index) + 1
        }
        position = end
    }

    /// The place of a hit at or after the position so far.
    mutating func place(_ hit: Hit, in bytes: Span<UInt8>, base: UInt64) -> PlacedHit {
        advance(to: hit.start, in: bytes, base: base)
        return PlacedHit(
            start: hit.start, term: hit.term, secret: hit.secret, form: hit.form, line: line,
            column: Int(hit.start - lineStart) + 1)
    }
}

/// Which of an object's hits are kept.
enum HitSelection {
    /// What a hit is, wherever it stands.
    struct What: Hashable {
        let term: UInt32
        let secret: Int64?
        let form: Form

        init(_ hit: Hit) {
            term = hit.term
            secret = hit.secret
            form = hit.form
        }
    }

    /// All of them, or the first of each term and secret; with their places.
    ///
    /// - Parameter hits: ascending.
    static func place(_ hits: [Hit], in bytes: Span<UInt8>, base: UInt64 = 0, all: Bool) -> [PlacedHit] {
        var seen: Set<What> = []
        var lines = LineCounter()
        var placed: [PlacedHit] = []
        for hit in hits {
            guard all || seen.insert(What(hit)).inserted else { continue }
            placed.append(lines.place(hit, in: bytes, base: base))
        }
        return placed
    }
}
