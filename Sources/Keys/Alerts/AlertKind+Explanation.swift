/// The text of the message catalogue is filled in from the fields of an entry.
extension AlertKind {
    /// The fields that the catalogue's text for this kind refers to. An entry has each of them, because journalctl
    /// shows the name of a missing field instead.
    package var explainedFields: Set<Alert.Field> {
        switch self {
        case .keyExpired, .keyExpiring: Self.keyFields.union([.expiresAt, .remedy])
        case .rotationDue, .rotationOverdue, .keyUnused, .secretReused: Self.keyFields.union([.remedy])
        case .secretRetiring, .secretLeftInPlace: Self.keyFields.union([.findings, .reason, .remedy])
        case .secretUsedAfterExposure:
            Self.keyFields.union([.incident, .findings, .caller, .lastUsedAt, .remedy])
        case .leakConfirmed: Self.keyFields.union(Self.placeFields).union([.condition, .incident, .findings, .remedy])
        case .leakProbable: Self.keyFields.union(Self.placeFields).union([.remedy])
        case .leakMention: Self.keyFields.union(Self.placeFields)
        case .leakResolved: Self.keyFields.union([.condition])
        case .storeTampered: [.keyID, .keyName, .owner, .reason, .remedy]
        case .auditCheckpoint: [.store, .auditCount, .auditHead]
        case .leakUnlisted: Self.keyFields.union([.repository, .findings, .reason])
        case .leakUnregistered: [.repository, .findings, .reason, .remedy]
        case .placeUnwatched: [.repository, .reason, .findings, .remedy]
        case .scanFailed: [.repository, .path, .reason, .remedy]
        case .configRejected, .clockChanged, .clockSuspect, .storeRolledBack, .daemonStopped, .socketUnavailable:
            [.reason]
        case .importRefused, .configDiffers, .storeDamaged, .storeUnavailable, .storeWeak, .storeDiffers,
            .storePepperMissing, .hostDuplicate, .watchDegraded, .deliveryDegraded:
            [.reason, .remedy]
        case .daemonStalled: [.reason, .repository, .remedy]
        case .scanFinished, .configReloaded, .daemonStarted, .daemonStatus: []
        }
    }

    private static let keyFields: Set<Alert.Field> = [.keyID, .keyName, .prefix, .owner, .origin, .issuer]
    private static let placeFields: Set<Alert.Field> = [.repository, .path, .line, .commit, .author, .object]
}

extension Alert.Field {
    /// What is shown for a missing value.
    package static let absent = "-"

    /// Whether a value is the program's own sentence, in which names are quoted; else it is a name or another value from
    /// outside, which the catalogue shows between quotes.
    package var isWording: Bool {
        switch self {
        case .reason, .remedy, .condition: true
        default: false
        }
    }

    /// The maximum length of a value, in characters; a longer one is truncated.
    package var longest: Int {
        switch self {
        case .reason, .remedy: 1_024
        default: 256
        }
    }
}

extension Alert {
    /// The maximum length of a message, in characters; a longer one is truncated.
    package static let longestMessage = 2_048
}
