/// Where a key is now, as far as scans know: files at HEAD and on disk that have its prefix or its secret.
package struct KeyPlaces: Hashable, Sendable {
    /// The first of them, those with a whole secret before others.
    package let first: [Place]
    /// All of them.
    package let count: Int

    package init(first: [Place], count: Int) {
        self.first = first
        self.count = count
    }

    package struct Place: Hashable, Sendable {
        /// The path of the repository or of the watched place.
        package let repository: String
        package let path: String
        package let line: Int?
        /// Who brought it in, where a commit says so.
        package let author: String?

        package init(repository: String, path: String, line: Int?, author: String?) {
            self.repository = repository
            self.path = path
            self.line = line
            self.author = author
        }
    }

    /// The most places that are named.
    package static let mostNamed = 3

    /// As the end of a sentence about the key.
    var words: Wording {
        guard count > 0 else { return "" }
        let named = first.map { place in
            let line: Wording = if let line = place.line { ":\(line)" } else { "" }
            let author: Wording = if let author = place.author { " by \(name: author)" } else { "" }
            return "\(name: place.repository), \(name: place.path)" + line + author
        }.joined(separator: "; ")
        let rest: Wording = count > first.count ? "; …" : ""
        return "; it is in \(count) place\(words: count == 1 ? "" : "s"): " + named + rest
    }
}
