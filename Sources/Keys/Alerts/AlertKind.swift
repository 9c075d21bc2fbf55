/// The kinds of journal entry that the daemon writes. The raw value is the field `KEYVIGIL_EVENT`.
package enum AlertKind: String, CaseIterable, Hashable, Sendable {
    case keyExpired = "key.expired"
    case keyExpiring = "key.expiring"
    case rotationDue = "rotation.due"
    case rotationOverdue = "rotation.overdue"
    case keyUnused = "key.unused"
    case secretReused = "secret.reused"
    case secretRetiring = "secret.retiring"
    case secretLeftInPlace = "secret.left_in_place"
    case secretUsedAfterExposure = "secret.used_after_exposure"
    case leakConfirmed = "leak.confirmed"
    case leakProbable = "leak.probable"
    case leakMention = "leak.mention"
    case leakResolved = "leak.resolved"
    case leakUnlisted = "leak.unlisted"
    case leakUnregistered = "leak.unregistered"
    case importRefused = "import.refused"
    case placeUnwatched = "place.unwatched"
    case scanFinished = "scan.finished"
    case scanFailed = "scan.failed"
    case configReloaded = "config.reloaded"
    case configRejected = "config.rejected"
    case configDiffers = "config.differs"
    case storeDamaged = "store.damaged"
    case storeUnavailable = "store.unavailable"
    case storeRolledBack = "store.rolled_back"
    case storeTampered = "store.tampered"
    case storeWeak = "store.weak"
    case storeDiffers = "store.differs"
    case storePepperMissing = "store.pepper_missing"
    case hostDuplicate = "host.duplicate"
    case auditCheckpoint = "audit.checkpoint"
    case watchDegraded = "watch.degraded"
    case deliveryDegraded = "delivery.degraded"
    case clockChanged = "clock.changed"
    case clockSuspect = "clock.suspect"
    case socketUnavailable = "socket.unavailable"
    case daemonStarted = "daemon.started"
    case daemonStopped = "daemon.stopped"
    case daemonStatus = "daemon.status"
    case daemonStalled = "daemon.stalled"

    /// The field `MESSAGE_ID` (systemd.journal-fields(7)), by which the catalogue explains the kind. It never changes.
    package var messageID: String {
        switch self {
        case .keyExpired: "d728d182f9464054ae9be5385740af82"
        case .keyExpiring: "0d387eea4784467fa3c5b67307fb50fd"
        case .rotationDue: "22118b1c7cde46daa0eab00ba6529ab1"
        case .rotationOverdue: "87306b82fc34453483994113210d82eb"
        case .keyUnused: "ae2f4b1b3b7d4b2ca2c9d7292712cd59"
        case .secretReused: "60442d164fc640abbd99b59a71aa41e6"
        case .secretRetiring: "c1f3a54de0d84f6a9be26c1f80a7d935"
        case .secretLeftInPlace: "e0b9a8a6f3c94a0f8b6d2c7d15a4f2b8"
        case .secretUsedAfterExposure: "7f2c8c1e0d1b4b6db0a4c0a2c1c5e9d3"
        case .leakConfirmed: "a80524b25aa040ffa59c464472b90cdf"
        case .leakProbable: "96c3ae714ddb4369ba29f7c2a1c4a7a9"
        case .leakMention: "ae6b5c3536194a6caf0e1a6aba1631a3"
        case .leakResolved: "1861d432df7b4d6094926ac83935c401"
        case .leakUnlisted: "5c5534fdbb3e403886ab61cabe9a448d"
        case .leakUnregistered: "01dbd81a6812473ea2f60db44c092a15"
        case .importRefused: "3980c250eb6841d799ef0b499702d831"
        case .placeUnwatched: "b1f6c02e7a9d4f5c9a3e8d5b46c7e210"
        case .scanFinished: "fbc40871cd674780b5a0f1617e38844f"
        case .scanFailed: "3e94131088dc40a29ec8b5c74f01e7f9"
        case .configReloaded: "5cc23daa771b490eaa3d459d14b15b8b"
        case .configRejected: "ec4c023a4cd44289bbc71dc3f3f1ac11"
        case .configDiffers: "29333894f73a43afb4b24bc125798b17"
        case .storeDamaged: "0c3cf65c20fc4ea2b1920b485ab5eb7b"
        case .storeUnavailable: "866a3646ee1c4b1887b7bbd7d3cd57b7"
        case .storeRolledBack: "0a22e5e1f4e54d71b21e90e0c809a285"
        case .storeTampered: "58fd8d3248c244bd902e3e2d6bc0b8c0"
        case .storeDiffers: "88dd5d5d100647eb8df914499c10d69a"
        case .storePepperMissing: "5d0c9a6be1f24c5c8f0e7b83a94d2f16"
        case .storeWeak: "bcc7e70405294d9196817e2a5283db98"
        case .hostDuplicate: "48d86f12e8c54d86aa14316f86eaf661"
        case .auditCheckpoint: "f6a7192e9b1648b88bc7ec9ea530f433"
        case .watchDegraded: "7b091fc4d3f14840a8fcec2f78bc5b40"
        case .deliveryDegraded: "e56eedfe85f34eba9890413fa2072bdc"
        case .clockChanged: "a7537d6138434b0e9c5e38c1057d96b2"
        case .clockSuspect: "3c2a95f34425461a9a0a194c6c612e20"
        case .socketUnavailable: "b9c40f6e52d74d1c8a7e3b0f91d65a24"
        case .daemonStarted: "4cc3edec2cd347bbbd8ad1ed64bf273e"
        case .daemonStopped: "ad032332534043158e0c960d605ef263"
        case .daemonStatus: "a548b50300614373b4cb8577706ec594"
        case .daemonStalled: "5d7c3f1e0b8a4c6fa1e29d44b7f06c83"
        }
    }
}

/// The priority of an alert: the levels of syslog (RFC 5424, section 6.2.1).
package enum AlertPriority: Int, Hashable, Comparable, CaseIterable, Sendable {
    case critical = 2
    case error = 3
    case warning = 4
    case notice = 5
    case info = 6

    /// The lowest priority. The settings of a journal hide entries below a priority, so a journal that shows this one
    /// shows all.
    package static let leastUrgent = AlertPriority.info

    /// The name of syslog(3), as `journalctl -p` accepts it.
    package var word: String {
        switch self {
        case .critical: "crit"
        case .error: "err"
        case .warning: "warning"
        case .notice: "notice"
        case .info: "info"
        }
    }

    package static func < (first: AlertPriority, second: AlertPriority) -> Bool { first.rawValue < second.rawValue }
}
