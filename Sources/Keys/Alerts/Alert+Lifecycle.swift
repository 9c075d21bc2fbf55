/// Alerts about the dates of a key.
extension Alert {
    /// The alert for an action of ``LifecycleRules``, or nil for one that needs no alert.
    ///
    /// - Parameter places: where the key is, so that whoever replaces it knows where.
    package init?(
        _ action: LifecycleAction, key: Key, places: KeyPlaces = KeyPlaces(first: [], count: 0), issuers: IssuerCatalog
    ) {
        guard let heading = action.alertHeading else { return nil }
        var fields = Alert.fields(of: key)
        let who = Alert.name(of: key)
        let remedies = KeyRemedies(for: key, issuers: issuers)
        let title = issuers.title(of: key.issuer)
        let isHeld = key.origin == .held
        let message: Wording
        switch action {
        case .retire, .noticeRetirement:
            return nil
        case .expire(let at):
            fields[.expiresAt] = at.description
            fields[.remedy] = "if it is still needed: \(remedies.renew)"
            message =
                isHeld
                ? "the recorded expiry of \(who) has passed at \(at); whether \(words: title) refuses it was not checked"
                : "\(who) expired at \(at) and is now refused"
        case .noticeExpiry(let at, let notice):
            fields[.expiresAt] = at.description
            fields[.remedy] = remedies.extend
            message = "\(who) expires at \(at)\(words: isHeld ? " by its record" : ""), within \(notice)" + places.words
        case .noticeRotationDue(let since):
            fields[.rotationDueAt] = since.description
            fields[.remedy] = remedies.rotateOnSchedule
            message = "\(who) is due for rotation since \(since): \(words: remedies.rotateOnSchedule)" + places.words
        case .noticeRotationOverdue(let since):
            fields[.rotationDueAt] = since.description
            fields[.remedy] = remedies.rotateOnSchedule
            message =
                "\(who) is overdue for rotation, due since \(since): \(words: remedies.rotateOnSchedule)" + places.words
        case .noticeUnused(let since):
            fields[.lastUsedAt] = since.description
            fields[.remedy] = remedies.revoke
            message = "\(who) was last verified here at \(since); if it is not needed: \(words: remedies.revoke)"
        }
        self.init(kind: heading.kind, priority: heading.priority, message: message, fields: fields)
    }

    /// The alert for a secret that was presented after a rotation had retired it.
    package init(reusedSecretOf key: Key, issuers: IssuerCatalog) {
        var fields = Alert.fields(of: key)
        fields[.remedy] = KeyRemedies(for: key, issuers: issuers).rotate
        self.init(
            kind: .secretReused, priority: .warning,
            message:
                "a retired secret of \(Alert.name(of: key)) was presented and refused here: a service still uses it, or someone "
                + "else has it", fields: fields)
    }

    /// The fields that identify a key and its owner.
    package static func fields(of key: Key) -> [Field: String] {
        var fields: [Field: String] = [
            .keyID: key.id.text, .keyName: key.name, .prefix: key.prefix, .issuer: key.issuer,
            .environment: key.environment.rawValue, .origin: key.origin.rawValue,
        ]
        fields[.owner] = key.owner
        fields[.expiresAt] = key.expiresAt?.description
        return fields
    }

    /// A key as it is named in a sentence.
    package static func name(of key: Key) -> Wording {
        let owner: Wording = key.owner.map { " of \(name: $0)" } ?? ""
        return "key \(quoted: key.name) (\(prefix: key.prefix), \(words: key.environment.rawValue))\(owner)"
    }
}

extension LifecycleAction {
    /// The kind and the priority of the alert for an action, or nil for one that needs no alert.
    package var alertHeading: (kind: AlertKind, priority: AlertPriority)? {
        switch self {
        case .retire, .noticeRetirement: nil
        case .expire: (.keyExpired, .warning)
        case .noticeExpiry(_, let notice): (.keyExpiring, notice <= .days(7) ? .warning : .notice)
        case .noticeRotationDue: (.rotationDue, .notice)
        case .noticeRotationOverdue: (.rotationOverdue, .warning)
        case .noticeUnused: (.keyUnused, .notice)
        }
    }
}
