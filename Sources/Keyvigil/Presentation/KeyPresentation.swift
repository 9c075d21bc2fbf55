internal import KeyStore
internal import Keys
internal import SystemPackage

/// Keys as JSON and as text.
struct KeyPresentation {
    private let configuration: Configuration
    private let issuers: IssuerCatalog
    private let now: Instant

    init(_ workspace: Workspace, now: Instant) {
        configuration = workspace.configuration
        issuers = workspace.loaded.issuers
        self.now = now
    }

    func verdicts(on key: Key) -> [HygieneVerdict] {
        HygieneRules.verdicts(
            on: key, at: now, lifecycle: configuration.lifecycle, hygiene: configuration.hygiene,
            issuers: issuers)
    }

    func rotationDueAt(_ key: Key) -> Instant? {
        key.status(at: now) == .active ? key.facts.rotationDueAt(policy: configuration.lifecycle) : nil
    }

    func statusWords(_ key: Key) -> String { key.statusWords(issuer: issuers.title(of: key.issuer), at: now) }

    /// The fields that scripts rely on.
    func json(_ key: Key) -> JSONLine {
        var line = JSONLine()
        head(key, &line)
        tail(key, &line)
        return line
    }

    private func head(_ key: Key, _ line: inout JSONLine) {
        line.add("id", key.id.text)
        line.add("kind", key.kind.rawValue)
        line.add("origin", key.origin.rawValue)
        line.add("name", key.name)
        line.add("owner", key.owner)
        line.add("issuer", key.issuer)
        line.add("environment", key.environment.rawValue)
        line.add("prefix", key.prefix)
    }

    private func tail(_ key: Key, _ line: inout JSONLine) {
        line.add("permissions", key.permissions.permissions)
        line.add("resources", key.resources)
        line.add("role", DisplayText.name(key.role))
        line.add("status", key.status(at: now).rawValue)
        line.add("status_words", statusWords(key))
        line.add("recorded_by", key.attestation?.by)
        line.add("recorded_at", key.attestation?.at)
        line.add("check", key.check.word)
        line.add("checked_at", key.check.checkedAt)
        line.add("check_problem", key.check.problem)
        line.add("created_at", key.createdAt)
        line.add("expires_at", key.expiresAt)
        line.add("rotate_every", key.rotateEvery?.description)
        line.add("rotation_due_at", rotationDueAt(key))
        line.add("rotated_at", key.rotatedAt)
        line.add("last_used_at", key.lastUsedAt)
        line.add("revoked_at", key.revokedAt)
        line.add("revoke_reason", key.revokeReason)
        line.add("deleted_at", key.deletedAt)
        line.add("generation", key.generation)
        line.add("old_secret_valid_until", key.oldSecretEnd)
        line.add("client", key.client)
        line.add("notes", key.notes)
        line.add("on_hold_since", key.hold?.since)
        line.add("on_hold_reason", key.hold?.reason.rawValue)
        line.add("hygiene", verdicts(on: key).map(\.flag.rawValue))
    }

    /// Writes a key with the secret that was just made for it, in one write, from memory that is zeroed afterwards.
    func print(_ issued: borrowing IssuedKey, asJSON: Bool, heading: String) throws {
        var before: String
        var after: String
        if asJSON {
            var first = JSONLine()
            head(issued.key, &first)
            var second = JSONLine()
            tail(issued.key, &second)
            before = String(first.line.dropLast()) + ",\"secret\":\""
            after = "\"," + second.line.dropFirst() + "\n"
        } else {
            before = "\(heading)\n  secret       "
            after = "\n" + details(issued.key) + "\nThe secret is shown this once: put it where it is needed now.\n"
        }
        var text = Secret(capacity: before.utf8.count + issued.secret.count + after.utf8.count)
        text.append(contentsOf: before.utf8)
        issued.secret.withBytes { bytes in
            for index in bytes.indices { text.append(bytes[index]) }
        }
        text.append(contentsOf: after.utf8)
        do { try SecretOutput.write(text, to: .standardOutput) } catch {
            throw InputError(
                "the key \(DisplayText.quoted(issued.key.name)) (\(issued.key.id)) has a new secret, but it could not be "
                    + "written out: \(error)",
                hint: "it cannot be shown again; make another one: keyvigil rotate \(issued.key.id)")
        }
    }

    private func date(_ instant: Instant) -> String { DateText.moment(instant, from: now) }

    /// Label and value, a line each.
    func details(_ key: Key) -> String {
        let isHeld = key.origin == .held
        let title = issuers.title(of: key.issuer)
        var rows: [(String, String)] = [
            ("id", key.id.text), ("name", DisplayText.name(key.name)),
            ("owner", key.owner.map { DisplayText.name($0) } ?? "-"),
            ("origin", isHeld ? "held: \(title) issued it" : "issued here: its secrets are made and verified here"),
            ("issuer", key.issuer), ("environment", key.environment.rawValue), ("prefix", key.prefix),
        ]
        if key.kind != .apiKey { rows.append(("kind", "OAuth consent")) }
        if let client = key.client { rows.append(("client", DisplayText.name(client))) }
        rows += [
            (key.kind == .apiKey ? "permissions" : "scopes", key.permissions.permissions.joined(separator: ", ")),
            ("resources", key.resources.summary), ("role", key.role), ("status", statusWords(key)),
            ("created", date(key.createdAt)), ("expires", key.expiresAt.map(date) ?? "never"),
        ]
        if let period = key.rotateEvery { rows.append(("rotate every", period.description)) }
        if let due = rotationDueAt(key) { rows.append(("rotation due", date(due))) }
        if let at = key.rotatedAt {
            rows.append((isHeld ? "replaced" : "rotated", "\(date(at)), secret \(key.generation)"))
        }
        if let end = key.oldSecretEnd, end > now {
            rows.append(("old secret", (isHeld ? "said to be valid until " : "valid until ") + date(end)))
        }
        rows.append(
            ("last used", key.lastUsedAt.map { "\(date($0))\(isHeld ? ", as verified here" : "")" } ?? "never here"))
        if isHeld { rows.append(("checked", checkWords(key.check, title: title))) }
        if let at = key.revokedAt {
            rows.append(("revoked", "\(date(at))\(key.revokeReason.map { ": " + DisplayText.escaped($0) } ?? "")"))
        }
        if let hold = key.hold { rows.append(("on hold", "since \(date(hold.since)): \(hold.reason.sentence)")) }
        if let at = key.deletedAt { rows.append(("deleted", date(at))) }
        if let said = key.attestation {
            rows.append(("recorded by", "\(DisplayText.name(said.by)) at \(date(said.at))"))
        }
        if let notes = key.notes { rows.append(("notes", DisplayText.escaped(notes, limit: 1000))) }
        return Self.aligned(rows)
    }

    /// The longest value of a row that is shown whole, in characters.
    private static let longestRow = 1000

    private static func aligned(_ rows: [(String, String)]) -> String {
        LabelledLines.text(rows.map { ($0, DisplayText.escaped($1, limit: longestRow)) })
    }

    private func checkWords(_ check: CheckRecord, title: String) -> String {
        var parts: [String] = []
        if let decision = check.decision, let at = check.decidedAt {
            parts.append("\(decision.rawValue) by \(title) at \(date(at))")
        }
        if let problem = check.problem, let at = check.problemAt {
            parts.append("no answer at \(date(at)): \(DisplayText.escaped(problem))")
        }
        return parts.isEmpty ? "never" : parts.joined(separator: "; ")
    }

    /// Which of the issuer's endpoints take the key; nil where its profile does not say.
    func endpoints(_ key: Key) -> String? {
        guard let access = issuers[key.issuer]?.endpoints else { return nil }
        let (own, other) = key.kind == .apiKey ? (access.apiKey, access.oauth) : (access.oauth, access.apiKey)
        let (ownName, otherName) = key.kind == .apiKey ? ("an API key", "OAuth") : ("OAuth", "an API key")
        var rows = own.map { ("opens", $0) }
        rows += other.filter { !own.contains($0) }.map { ("does not open", "\($0), which needs \(otherName)") }
        if let source = access.source { rows.append(("all of them", source)) }
        guard !rows.isEmpty else { return nil }
        return "endpoints and \(ownName), as \(issuers.title(of: key.issuer)) documents them\n" + Self.aligned(rows)
    }

    /// What is not clean about a key, and what to do.
    func hygiene(_ key: Key, style: Style) -> String {
        verdicts(on: key).map { verdict in
            "  \(style.yellow(verdict.flag.rawValue)): \(verdict.reason)\n    \(verdict.remedy)"
        }.joined(separator: "\n")
    }
}

extension Key {
    /// Until when a secret before the current one is valid: no longer than the key. Nil for a key that was ended.
    fileprivate var oldSecretEnd: Instant? {
        guard ![.revoked, .deleted].contains(recordedStatus) else { return nil }
        return retiresAt.map { end in expiresAt.map { min($0, end) } ?? end }
    }
}
