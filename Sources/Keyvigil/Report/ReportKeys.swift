internal import Keys

/// The section of the report with every key.
struct ReportKeys {
    private let presentation: KeyPresentation
    private let now: Instant
    /// Keys with something to do come first.
    private var pending: HTMLTable
    private var others: HTMLTable
    private var counts: [KeyStatus: Int] = [:]
    private var held = 0
    private var flags: [HygieneFlag: Int] = [:]

    private static let columns = [
        "Key", "Owner", "Issuer", "Status", "Created", "Rotated", "Last used", "Expires", "To do",
    ]

    init(_ presentation: KeyPresentation, mostRows: Int, at now: Instant) {
        self.presentation = presentation
        self.now = now
        pending = HTMLTable("Keys with something to do", Self.columns, mostRows: mostRows)
        others = HTMLTable("Other keys", Self.columns, mostRows: mostRows)
    }

    /// The number of keys with a flag.
    func count(of flag: HygieneFlag) -> Int { flags[flag] ?? 0 }

    mutating func add(_ key: Key) {
        let status = key.status(at: now)
        counts[status, default: 0] += 1
        if key.origin == .held { held += 1 }
        let verdicts = presentation.verdicts(on: key)
        for verdict in verdicts { flags[verdict.flag, default: 0] += 1 }
        if verdicts.isEmpty {
            add(key, status, verdicts, to: &others)
        } else {
            add(key, status, verdicts, to: &pending)
        }
    }

    private func add(_ key: Key, _ status: KeyStatus, _ verdicts: [HygieneVerdict], to table: inout HTMLTable) {
        let toDo: [HTML] = verdicts.map { verdict in
            """
            <li>\(.badge(verdict.flag.words, verdict.flag.weight)) <span>\(verdict.reason)</span> \
            <small>\(verdict.remedy)</small></li>
            """
        }
        let words = presentation.statusWords(key)
        table.add(
            "\(key.name) <small><code>\(key.prefix)</code></small>", key.owner.map { "\($0)" } ?? "–",
            "\(key.issuer)\(key.origin == .held ? ", held" : "") <small>\(key.environment.rawValue)</small>",
            status == .active ? "\(words)" : .badge(words, .plain), .day(key.createdAt, from: now),
            key.rotatedAt.map { .day($0, from: now) } ?? "–",
            key.lastUsedAt.map { .day($0, from: now) } ?? "never here",
            key.expiresAt.map { .day($0, from: now) } ?? "never",
            toDo.isEmpty ? "–" : "<ul class=\"todo\">\(toDo)</ul>")
    }

    var figures: HTML {
        let ended = (counts[.expired] ?? 0) + (counts[.revoked] ?? 0)
        let active = ReportPage.figure(
            "\(counts[.active] ?? 0)", "Active keys", note: "\(ended) expired or revoked", weight: .plain,
            section: "keys")
        let toDo = ReportPage.figure(
            "\(pending.count)", "Keys to look at", note: "by date, use, owner, leak or rule",
            weight: pending.count > 0 ? .warning : .plain, section: "keys")
        return "\(active)\(toDo)"
    }

    var section: HTML {
        let parts: [HTML] = KeyStatus.allCases.filter { $0 != .deleted }.map {
            "<li><strong>\(counts[$0] ?? 0)</strong> \($0.rawValue)</li>"
        }
        let ofOthers: HTML = held > 0 ? "<li><strong>\(held)</strong> of these from other issuers</li>" : ""
        let toDo = pending.html(
            empty: "No key has anything to do by its date, use, owner or rules.", others: "keyvigil list --json")
        let rest: HTML =
            others.count > 0 || pending.count == 0
            ? others.html(empty: "The store has no keys.", others: "keyvigil list") : ""
        return """
            <section id="keys" aria-labelledby="keys-title">
            <h2 id="keys-title">Keys</h2>
            <ul class="inline">\(parts)\(ofOthers)</ul>
            \(toDo)\(rest)</section>

            """
    }
}

extension HygieneFlag {
    /// The flag in words.
    fileprivate var words: String { rawValue.replacing("_", with: " ") }

    fileprivate var weight: ReportPage.Weight {
        switch self {
        case .tampered, .leaked, .onHold, .rotationOverdue, .refusedByIssuer: .bad
        case .expiring, .rotationDue, .unbounded, .lifetimeTooLong, .overlapTooLong, .prefixTooShort: .warning
        case .expired, .unused, .neverUsed, .noOwner: .plain
        }
    }
}
