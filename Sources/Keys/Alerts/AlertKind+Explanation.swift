/// What the message catalogue says of each kind is filled in from the fields of an entry.
extension AlertKind {
    /// The fields that the catalogue's text for this kind names. An entry has each of them, or the text would show the
    /// field's name in its place.
    package var explainedFields: Set<Alert.Field> {
        switch self {
        case .keyExpired, .keyExpiring: Self.keyFields.union([.expiresAt, .remedy])
        case .rotationDue, .rotationOverdue, .keyUnused, .secretReused: Self.keyFields.union([.remedy])
        case .leakConfirmed: Self.keyFields.union(Self.placeFields).union([.condition, .remedy])
        case .leakProbable: Self.keyFields.union(Self.placeFields).union([.remedy])
        case .leakMention: Self.keyFields.union(Self.placeFields)
        case .leakResolved: Self.keyFields.union([.condition])
        case .placeUnwatched: [.repository, .reason, .findings, .remedy]
        case .scanFailed: [.repository, .path, .reason, .remedy]
        case .configRejected, .clockChanged, .clockSuspect, .storeRolledBack, .daemonStopped: [.reason]
        case .storeDamaged, .storeUnavailable, .watchDegraded, .deliveryDegraded: [.reason, .remedy]
        case .daemonStalled: [.reason, .repository, .remedy]
        case .scanFinished, .configReloaded, .daemonStarted, .daemonStatus: []
        }
    }

    private static let keyFields: Set<Alert.Field> = [.keyID, .keyName, .prefix, .owner, .origin, .issuer]
    private static let placeFields: Set<Alert.Field> = [.repository, .path, .line, .commit, .author, .object]
}

extension Alert.Field {
    /// What is shown for a value that there is not.
    package static let absent = "-"

    /// More characters than these are not shown of a value.
    package var longest: Int {
        switch self {
        case .reason, .remedy: 1_024
        default: 256
        }
    }
}

extension Alert {
    /// More characters than these are not shown of a message.
    package static let longestMessage = 2_048
}
