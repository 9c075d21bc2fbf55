@testable import LeakScan

/// Any text: every engine finds the same in it, plainly and in the other forms.
enum TextTarget {
    static let prefixes = ["kv_live_Ab3dE6gH_", "blnk_fdb796a5", "pied-piper-7132:"]

    static let seeds: [[UInt8]] =
        prefixes.map { Array($0.utf8) }
        + prefixes.flatMap { prefix in
            FormPattern.all(of: Array(prefix.utf8)).map(\.bytes)
        }
        + [Array("\n    QmFzZTY0IHRleHQgdGhhdCBpcyB3cmFwcGVkIG92ZXIg\n    bGluZXM=\r\n".utf8)]

    private static let finders: [[HitFinder]] = [prefixes, Array(prefixes.prefix(1))].map { prefixes in
        let terms = try? SearchTerms(
            prefixes.enumerated().map { SearchTerm(id: Int64($0.offset), prefix: Array($0.element.utf8)) })
        guard let terms else { return [] }
        return [ScanOptions.Engine.naive, .scalar, .vector].map {
            HitFinder(terms: terms, recognizer: NoSecretsKnown(), engine: $0)
        }
    }

    static func run(_ text: [UInt8]) {
        for finders in finders {
            var first: [Hit]?
            for finder in finders {
                var scratch: [RawMatch] = []
                var hits: [Hit] = []
                _ = finder.find(text.span, starts: 0..<text.count, scratch: &scratch, into: &hits)
                if let first, first != hits { FuzzFailure.stop("engines differ") }
                first = hits
                _ = finder.settled(hits, in: text.span)
            }
        }
    }
}
