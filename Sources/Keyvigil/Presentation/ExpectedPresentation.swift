internal import KeyStore
internal import Keys

/// Expected places as JSON and as text.
enum ExpectedPresentation {
    static func json(_ place: ExpectedPlace) -> JSONLine {
        var line = JSONLine()
        line.add("path", place.path)
        if let host = place.host { line.add("host", host) }
        line.add("added_at", place.addedAt)
        line.add("added_by", place.addedBy)
        line.add(
            "found",
            objects: place.found.filter(\.isThere).map { content in
                var line = JSONLine()
                line.add("prefix", content.prefix)
                line.add("grade", content.grade.rawValue)
                line.add("secret_state", content.grade == .confirmed ? content.condition.grade.rawValue : nil)
                line.add("last_seen_at", content.lastSeenAt)
                return line
            })
        return line
    }

    /// One line for people.
    ///
    /// - Parameter rotatedAt: when the key got its current secret: a scan before that says nothing of now.
    static func sentence(_ place: ExpectedPlace, rotatedAt: Instant?) -> String {
        let there = place.found.filter(\.isThere)
        let sentences = there.map { content in
            let seen = ", as of \(DateText.moment(content.lastSeenAt))"
            return switch content.grade {
            case .confirmed where rotatedAt.map { content.lastSeenAt < $0 } ?? false:
                "held the old secret \(content.prefix)…\(seen), before the key was rotated"
            case .confirmed: words(content) + seen
            case .probable: "holds what may be a secret \(content.prefix)…\(seen)"
            case .mention: "holds the prefix \(content.prefix)\(seen)"
            }
        }
        let name = DisplayText.name(place.path, limit: 1000)
        return "\(name)  \(sentences.isEmpty ? "no scan has seen the key there" : sentences.joined(separator: "; "))"
    }

    private static func words(_ content: ExpectedPlace.Content) -> String {
        switch content.condition.grade {
        case .current: "holds the current secret"
        case .retiring: "still holds the old secret \(content.prefix)…, which is being replaced"
        case .retired: "still holds the old secret \(content.prefix)…"
        case .expired, .revoked, .deleted: "holds a secret of the key, which is \(content.condition.grade.rawValue)"
        }
    }
}
