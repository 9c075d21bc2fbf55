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
        line.add("name", key.name)
        line.add("owner", key.owner)
        line.add("issuer", key.issuer)
        line.add("environment", key.environment.rawValue)
        line.add("prefix", key.prefix)
    }

    private func tail(_ key: Key, _ line: inout JSONLine) {
        line.add("permissions", key.permissions.permissions)
        switch key.resources {
        case .all: line.add("resources", "all")
        case .named(let names): line.add("resources", names)
        }
        line.add("role", key.role)
        line.add("status", key.status(at: now).rawValue)
        line.add("created_at", key.createdAt)
        line.add("expires_at", key.expiresAt)
        line.add("rotate_every", key.rotateEvery?.description)
        line.add("rotation_due_at", rotationDueAt(key))
        line.add("rotated_at", key.rotatedAt)
        line.add("last_used_at", key.lastUsedAt)
        line.add("revoked_at", key.revokedAt)
        line.add("deleted_at", key.deletedAt)
        line.add("generation", key.generation)
        line.add("old_secret_valid_until", key.oldSecretEnd)
        line.add("held_since", key.hold?.since)
        line.add("held_reason", key.hold?.reason.rawValue)
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
                "the key '\(DisplayText.escaped(issued.key.name))' (\(issued.key.id)) has a new secret, but it could not be "
                    + "written out: \(error)",
                hint: "it cannot be shown again; make another one: keyvigil rotate \(issued.key.id)")
        }
    }

    /// Label and value, a line each.
    func details(_ key: Key) -> String {
        var rows: [(String, String)] = [
            ("id", key.id.text), ("name", DisplayText.escaped(key.name)),
            ("owner", key.owner.map { DisplayText.escaped($0) } ?? "-"), ("issuer", key.issuer),
            ("environment", key.environment.rawValue), ("prefix", key.prefix),
            ("permissions", key.permissions.permissions.joined(separator: ", ")), ("resources", key.resources.summary),
            ("role", key.role), ("status", key.status(at: now).rawValue), ("created", key.createdAt.description),
            ("expires", key.expiresAt?.description ?? "never"),
        ]
        if let period = key.rotateEvery { rows.append(("rotate every", period.description)) }
        if let due = rotationDueAt(key) { rows.append(("rotation due", due.description)) }
        if let at = key.rotatedAt { rows.append(("rotated", "\(at) (secret \(key.generation))")) }
        if let end = key.oldSecretEnd, end > now { rows.append(("old secret", "valid until \(end)")) }
        rows.append(("last used", key.lastUsedAt?.description ?? "never here"))
        if let at = key.revokedAt {
            rows.append(("revoked", "\(at)\(key.revokeReason.map { ": " + DisplayText.escaped($0) } ?? "")"))
        }
        if let hold = key.hold { rows.append(("on hold", "since \(hold.since): \(hold.reason.sentence)")) }
        if let at = key.deletedAt { rows.append(("deleted", at.description)) }
        return rows.map { label, value in
            "  " + label + String(repeating: " ", count: max(1, 13 - label.count)) + value
        }.joined(separator: "\n")
    }

    /// What is not clean about a key, and what to do.
    func hygiene(_ key: Key, style: Style) -> String {
        verdicts(on: key).map { verdict in
            "  \(style.yellow(verdict.flag.rawValue)): \(verdict.reason)\n    \(verdict.remedy)"
        }.joined(separator: "\n")
    }
}

extension Key {
    /// Until when a secret before the current one is valid: no longer than the key.
    fileprivate var oldSecretEnd: Instant? { retiresAt.map { end in expiresAt.map { min($0, end) } ?? end } }
}
