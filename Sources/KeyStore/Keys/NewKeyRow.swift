internal import Keys

/// The row of a new key, ready to be written: its first due date is computed, and it is sealed.
struct NewKeyRow {
    let new: NewKey
    let id: KeyID
    private let status: KeyStatus
    private let passedOver: Period?
    private let nextDue: Instant?
    private let seal: SecretHash
    private let now: Instant
    private let actor: AuditActor

    /// - Parameter recordsExpiry: a key whose expiry has passed already is added as expired, without an alert.
    init(
        _ new: NewKey, id: KeyID, policy: LifecyclePolicy, seals: RowSeals, at now: Instant, by actor: AuditActor,
        recordsExpiry: Bool = false
    ) {
        self.new = new
        self.id = id
        self.now = now
        self.actor = actor
        passedOver = LifecycleRules.noticePassedOver(expiresAt: new.expiresAt, at: now, policy: policy)
        status = recordsExpiry && (new.expiresAt.map { $0 <= now } ?? false) ? .expired : .active
        let facts = LifecycleFacts(
            status: status, isRotated: new.kind == .apiKey, expiresAt: new.expiresAt,
            secretMadeAt: new.createdAt ?? now, rotateEvery: new.rotateEvery, expiryNoticeSent: passedOver,
            expiryNoticeFor: new.expiresAt)
        nextDue = status == .active ? LifecycleRules.nextDue(for: facts, after: now, policy: policy) : nil
        seal = seals.seal(
            SealedKey(
                id: id, kind: new.kind, origin: new.origin, name: new.name, owner: new.owner, issuer: new.issuer,
                environment: new.environment, permissions: new.permissions.stored, resources: new.resources.stored,
                role: new.role, status: status, expiresAt: new.expiresAt, hold: nil))
    }

    /// When the key was made, here or elsewhere.
    var createdAt: Instant { new.createdAt ?? now }

    /// The sign-in of the key; nil where it has none, or is not in use.
    func signIn(prefix: String) -> SignIn? {
        guard new.kind == .apiKey, status == .active else { return nil }
        return SignIn(prefix: prefix, issuer: new.issuer, environment: new.environment)
    }

    /// The columns, which `keys` and `import_keys` have both.
    static let columns: SQL = """
        id, kind, name, owner, issuer, environment, permissions, resources, role, status, created_at, expires_at,
          rotate_every, expiry_notice_sent, next_due_at, origin, notes, client, stated_by, stated_at,
          expiry_notice_for, seal
        """

    /// The values of the columns.
    var values: SQL {
        """
        \(id), \(new.kind), \(new.name), \(new.owner), \(new.issuer), \(new.environment), \(new.permissions),
          \(new.resources), \(new.role), \(status), \(createdAt), \(new.expiresAt), \(new.rotateEvery), \(passedOver),
          \(nextDue), \(new.origin), \(new.notes), \(new.client), \(actor.name), \(now), \(new.expiresAt), \(seal)
        """
    }
}
