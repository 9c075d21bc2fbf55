internal import Keys

/// An alert about a date of a key as the outbox keeps it: which key, and what happened when. It is worded when it is
/// sent, or before its key is changed, since a year's keys may well end on one night, and the words are most of what
/// would have to be written then.
struct DateNotice {
    let keyID: String
    let action: LifecycleAction

    /// - Returns: nil for an action of which no alert is made.
    init?(_ action: LifecycleAction, of key: KeyID) {
        guard action.alertHeading != nil else { return nil }
        keyID = key.text
        self.action = action
    }

    /// What the column `fields` holds. The key has the name that it has in every alert's fields.
    var stored: String {
        var line = JSONLine()
        line.add(Alert.Field.keyID.rawValue, keyID)
        switch action {
        case .expire(let at), .retire(let at), .noticeRetirement(let at, _): line.add("expired", at.milliseconds)
        case .noticeExpiry(let at, let notice):
            line.add("expires", at.milliseconds)
            line.add("notice", notice.milliseconds)
        case .noticeRotationDue(let since): line.add("rotation_due", since.milliseconds)
        case .noticeRotationOverdue(let since): line.add("rotation_overdue", since.milliseconds)
        case .noticeUnused(let since): line.add("unused", since.milliseconds)
        }
        return line.line
    }

    /// Reads the column `fields`; nil for an alert that holds its own words.
    init?(_ fields: StoredFields) {
        guard let keyID = fields.texts[Alert.Field.keyID.rawValue] else { return nil }
        func instant(_ name: String) -> Instant? { fields.numbers[name].map(Instant.init(milliseconds:)) }
        if let at = instant("expired") {
            action = .expire(at: at)
        } else if let at = instant("expires"), let notice = fields.numbers["notice"] {
            action = .noticeExpiry(at: at, notice: Period(milliseconds: notice))
        } else if let since = instant("rotation_due") {
            action = .noticeRotationDue(since: since)
        } else if let since = instant("rotation_overdue") {
            action = .noticeRotationOverdue(since: since)
        } else if let since = instant("unused") {
            action = .noticeUnused(since: since)
        } else {
            return nil
        }
        self.keyID = keyID
    }
}
