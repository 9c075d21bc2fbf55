package import SystemPackage

/// Makes text of names from outside (paths, refs, authors, entries of archives) that holds no secret: the one place that all
/// such text passes before it is shown or stored.
///
/// Whatever the search finds in a name is replaced, in whatever form it is written there: by its public prefix and an alias
/// in braces, `kv_live_Ab3dE6gH_{hidden:5f0c21aa}`. The same name gives the same text in each scan, and different names give
/// different texts, so a finding is known by it again.
package struct NameMask: Sendable {
    private let finder: HitFinder

    /// - Parameters:
    ///   - terms: the prefixes of the secrets that are hidden.
    ///   - recognizer: tells which candidates are secrets, and what stands for them.
    package init(_ terms: SearchTerms, _ recognizer: any SecretRecognizer) {
        finder = HitFinder(terms: terms, recognizer: recognizer, engine: .seams)
    }

    /// A path, as ``PathText`` writes it.
    package func text(_ path: FilePath) -> String { text(path.bytes) }

    /// Any text.
    package func text(_ text: String) -> String {
        let bytes = Array(text.utf8)
        return hidden(in: bytes).map { PathText.text($0) } ?? text
    }

    /// The bytes of a path, as ``PathText`` writes them.
    package func text(_ bytes: [UInt8]) -> String { PathText.text(hidden(in: bytes) ?? bytes) }

    /// Whether something may be hidden in a text that a mask has made.
    package static func hasHidden(_ text: String) -> Bool { text.contains(mark) }

    private static let mark = "{hidden:"

    /// Whether a name is hidden in part.
    package func hides(_ bytes: [UInt8]) -> Bool { hidden(in: bytes) != nil }

    /// The name without what is hidden; nil where nothing is.
    private func hidden(in name: [UInt8]) -> [UInt8]? {
        guard !finder.terms.isEmpty, !name.isEmpty else { return nil }
        let bytes = name.span
        var scratch: [RawMatch] = []
        var hits: [Hit] = []
        _ = finder.find(bytes, starts: 0..<bytes.count, scratch: &scratch, into: &hits)
        guard !hits.isEmpty else { return nil }
        var masked: [UInt8] = []
        var end = 0
        for hit in finder.withPartners(hits, in: bytes) {
            let start = Int(hit.start)
            guard let alias = alias(of: hit, in: bytes) else { continue }
            // What begins within another is hidden with it; its alias tells names apart that differ only there.
            if start >= end { masked += name[end..<start] }
            masked += alias
            end = max(end, start + Int(hit.length))
        }
        guard end > 0 else { return nil }
        return masked + name[end...]
    }

    /// What stands for a hit; nil where it may be shown.
    private func alias(of hit: Hit, in bytes: Span<UInt8>) -> [UInt8]? {
        let stretch = bytes.extracting(Int(hit.start)..<min(bytes.count, Int(hit.start) + Int(hit.length)))
        let term = finder.terms.ids[Int(hit.term)]
        guard let alias = finder.recognizer.alias(term: term, candidate: stretch, secret: hit.secret) else {
            return nil
        }
        let form = hit.form == .plain ? "" : ":\(hit.form.name)"
        return Array(finder.terms.prefix(Int(hit.term))) + Array("\(Self.mark)\(alias)\(form)}".utf8)
    }
}
