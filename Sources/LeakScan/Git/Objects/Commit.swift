/// Parses commit objects.
enum Commit {
    /// The author, with the time of the commit.
    static func author(_ bytes: Span<UInt8>) -> Occurrence.Author? {
        var author = signature("author", bytes)
        if let committer = committer(bytes) { author?.committedSeconds = committer.unixSeconds }
        return author
    }

    static func committer(_ bytes: Span<UInt8>) -> Occurrence.Author? { signature("committer", bytes) }

    private static func signature(_ wanted: String, _ bytes: Span<UInt8>) -> Occurrence.Author? {
        var signature: Occurrence.Author?
        HeaderLines.forEach(bytes) { key, value in
            if key == wanted { signature = signature ?? Signature.parse(value) }
        }
        return signature
    }
}

/// The object and the tagger of an annotated tag.
struct Tag: Sendable {
    var object: ObjectID?
    var tagger: Occurrence.Author?

    init(_ bytes: Span<UInt8>) {
        var object: ObjectID?
        var tagger: Occurrence.Author?
        HeaderLines.forEach(bytes) { key, value in
            switch key {
            case "object": object = object ?? ObjectID(hex: value)
            case "tagger": tagger = tagger ?? Signature.parse(value)
            default: break
            }
        }
        self.object = object
        self.tagger = tagger
    }
}

/// The lines `KEY VALUE` before the first empty line of a commit or tag.
enum HeaderLines {
    static func forEach(_ bytes: Span<UInt8>, _ body: (String, [UInt8]) -> Void) {
        var at = 0
        while at < bytes.count, bytes[at] != UInt8(ascii: "\n") {
            var line: [UInt8] = []
            while at < bytes.count, bytes[at] != UInt8(ascii: "\n") {
                // The line of a hostile object may be arbitrarily long.
                if line.count < 4096 { line.append(bytes[at]) }
                at += 1
            }
            at += 1
            // Continuation lines (signatures) start with a space and have an empty key here.
            guard let space = line.firstIndex(of: UInt8(ascii: " ")) else { continue }
            body(String(decoding: line[..<space], as: UTF8.self), Array(line[(space + 1)...]))
        }
    }
}

/// `Name <mail> SECONDS +HHMM`
enum Signature {
    static func parse(_ line: [UInt8]) -> Occurrence.Author? {
        guard let close = line.lastIndex(of: UInt8(ascii: ">")) else { return nil }
        let name = String(decoding: line[...close], as: UTF8.self)
        let rest = line[(close + 1)...].split(separator: UInt8(ascii: " "))
        let seconds = rest.first.flatMap { Int64(String(decoding: $0, as: UTF8.self)) } ?? 0
        let zone = rest.dropFirst().first.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
        let clamped = max(-9959, min(9959, zone))
        return Occurrence.Author(
            name: name, unixSeconds: seconds, offsetMinutes: clamped / 100 * 60 + clamped % 100)
    }
}
