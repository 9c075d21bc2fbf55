internal import KeyStore
internal import Keys

/// Asks issuers about secrets and records what they answer.
struct IssuerChecking {
    private let workspace: Workspace
    private let actor: AuditActor

    init(_ workspace: Workspace, actor: AuditActor) {
        self.workspace = workspace
        self.actor = actor
    }

    /// An answer, and the key after it was recorded.
    struct Outcome {
        let subject: CheckSubject
        let answer: IssuerAnswer
        let key: Key
        let at: Instant
    }

    /// Asks about a secret of a key.
    ///
    /// - Throws: ``StoreError`` where it is no secret of the key, and what ``IssuerQuestion/ask(_:)`` throws.
    func check(_ secret: borrowing Secret, of key: String, _ question: IssuerQuestion) throws -> Outcome {
        let subject = try workspace.store.subject(ofChecking: secret, of: key)
        let answer = try question.ask(secret)
        let now = Workspace.now
        let changed = try workspace.ledger.recordCheck(
            subject, length: secret.count, answer, at: now, by: actor)
        return Outcome(subject: subject, answer: answer, key: changed, at: now)
    }
}

extension IssuerChecking.Outcome {
    /// Says what the issuer answered and what follows from it.
    func print(profile: IssuerProfile, _ workspace: Workspace, asJSON: Bool) {
        guard asJSON else {
            Terminal.print(sentences(profile: profile, workspace).joined(separator: "\n"))
            return
        }
        var line = JSONLine()
        line.add("key_id", key.id.text)
        line.add("key_name", key.name)
        line.add("issuer", key.issuer)
        line.add("prefix", subject.prefix)
        line.add("answer", answer.word)
        if case .unknown(let why) = answer { line.add("reason", why) } else { line.add("reason", String?.none) }
        line.add("checked_at", at)
        switch subject.knowledge {
        case .known: line.add("known", "secret")
        case .prefixOnly: line.add("known", "prefix")
        case .stranger: line.add("known", String?.none)
        }
        Terminal.print(line.line)
    }

    /// The same for people, a sentence each.
    func sentences(profile: IssuerProfile, _ workspace: Workspace) -> [String] {
        let name = "\(DisplayText.quoted(key.name))"
        let remedies = KeyRemedies(for: key, issuers: workspace.loaded.issuers)
        let what = "the secret \(subject.prefix)… of the key \(name)"
        switch (answer, subject.knowledge) {
        case (.unknown(let why), _):
            return ["\(profile.title) gave no answer that decides about \(what): \(why)"]
        case (.accepted, .stranger):
            let next =
                [.revoked, .deleted].contains(key.recordedStatus)
                ? "The record says that the key is \(key.recordedStatus.rawValue). To end the secret: \(remedies.revoke)"
                : "If it is the key's current one, record it: keyvigil rotate \(key.id) --secret-stdin"
            return ["\(profile.title) accepts \(what), which the store does not know.", next]
        case (.refused, .stranger):
            return ["\(profile.title) refuses \(what), which the store does not know."]
        case (.refused, .prefixOnly):
            return ["\(profile.title) refuses \(what). Findings of this very secret are resolved."]
        case (.refused, .known):
            return ["\(profile.title) refuses \(what). Its findings are resolved."]
        case (.accepted, _):
            var lines = ["\(profile.title) accepts \(what): it is live."]
            let isRevoked = key.status(at: at) == .revoked
            if isRevoked {
                lines.append(
                    "The record says that the key is revoked; \(profile.title) says otherwise. To revoke it: \(remedies.revoke)"
                )
            }
            if key.openLeaks > 0 {
                lines.append("It has open findings: keyvigil findings --key \(key.id)")
                if !isRevoked { lines.append("Make it worthless: \(remedies.rotate)") }
            }
            return lines
        }
    }
}
