/// What an event of the audit tells of. The raw values are what the store and the tool show; they never change.
package enum AuditAction: String, CaseIterable, Hashable, Sendable {
    case keyCreated = "key.created"
    case keyImported = "key.imported"
    case keyRenamed = "key.renamed"
    case keyEdited = "key.edited"
    case keyRotated = "key.rotated"
    case keyRevoked = "key.revoked"
    case keyDeleted = "key.deleted"
    case keyExpired = "key.expired"
    case keyExpiryNoticed = "key.expiry_noticed"
    case keyUnused = "key.unused"
    case rotationDue = "rotation.due"
    case rotationOverdue = "rotation.overdue"
    case secretRetired = "secret.retired"
    case secretChecked = "secret.checked"
    case findingDismissed = "finding.dismissed"
    /// What was recorded by a clock that was ahead is undone.
    case recordTakenBack = "record.taken_back"
    case leakConfirmed = "leak.confirmed"
    case storeRolledBack = "store.rolled_back"
    case keyPutOnHold = "key.put_on_hold"
    case keyReleased = "key.released"
}
