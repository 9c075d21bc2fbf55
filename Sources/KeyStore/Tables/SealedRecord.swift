internal import Keys

/// What a seal covers, as bytes: the name and version of the record's form, then each value after its length, so that no two
/// records have the same bytes. Nothing in it depends on the numbers of rows, so that a copy of the record in another store
/// of the same pepper keeps its seal.
struct SealedRecord {
    private(set) var bytes: [UInt8] = []

    /// - Parameter form: of the record, with its version.
    init(_ form: String) {
        bytes.reserveCapacity(320)
        add(form)
    }

    mutating func add(_ text: String?) {
        guard var text else { return bytes.append(0) }
        text.withUTF8 { utf8 in
            addLength(utf8.count)
            unsafe bytes.append(contentsOf: utf8)
        }
    }

    mutating func add(_ hash: SecretHash?) {
        guard let hash else { return bytes.append(0) }
        add(hash.bytes)
    }

    mutating func add(_ other: [UInt8]) {
        addLength(other.count)
        bytes += other
    }

    mutating func add(_ number: Int64?) {
        guard let number else { return bytes.append(0) }
        addLength(8)
        addBytes(of: number)
    }

    /// 1 for a value that is there, then its length in four bytes.
    private mutating func addLength(_ count: Int) {
        bytes.append(1)
        addBytes(of: UInt32(count))
    }

    /// The highest first.
    private mutating func addBytes(of number: some FixedWidthInteger) {
        unsafe withUnsafeBytes(of: number.bigEndian) { unsafe bytes.append(contentsOf: $0) }
    }
}

/// What of a key decides who may do what: what identifies it, what it may do, and until when.
///
/// That a date has passed is recorded beside it, and is not part of it: see ``KeyStatus/decided(by:at:)``.
struct SealedKey {
    /// Of `keys k`.
    static let columns: SQL = """
        k.id, k.kind, k.origin, k.name, k.owner, k.issuer, k.environment, k.permissions, k.resources, k.role, k.status,
          k.expires_at, k.on_hold_reason, k.seal AS key_seal
        """

    let id: KeyID
    let kind: KeyKind
    let origin: KeyOrigin
    let name: String
    let owner: String?
    let issuer: String
    let environment: KeyEnvironment
    let permissions: String
    let resources: String?
    let role: String
    let status: KeyStatus
    let expiresAt: Instant?
    let hold: KeyHold.Reason?
}

extension SealedKey {
    init(_ row: Row) throws(SQLiteError) {
        id = try row["id"]
        kind = try row["kind"]
        origin = try row["origin"]
        name = try row["name"]
        owner = try row["owner"]
        issuer = try row["issuer"]
        environment = try row["environment"]
        permissions = try row["permissions"]
        resources = try row["resources"]
        role = try row["role"]
        status = try row["status"]
        expiresAt = try row["expires_at"]
        hold = try row["on_hold_reason"]
    }

    init(_ key: Key) {
        id = key.id
        kind = key.kind
        origin = key.origin
        name = key.name
        owner = key.owner
        issuer = key.issuer
        environment = key.environment
        permissions = key.permissions.stored
        resources = key.resources.stored
        role = key.role
        status = key.recordedStatus
        expiresAt = key.expiresAt
        hold = key.hold?.reason
    }

    var record: [UInt8] {
        var record = SealedRecord("key 1")
        record.add(id.text)
        record.add(kind.rawValue)
        record.add(origin.rawValue)
        record.add(name)
        record.add(owner)
        record.add(issuer)
        record.add(environment.rawValue)
        record.add(permissions)
        record.add(resources)
        record.add(role)
        switch status {
        case .active, .expired: record.add("live")
        case .revoked, .deleted: record.add(status.rawValue)
        }
        record.add(expiresAt?.milliseconds)
        record.add(hold?.rawValue)
        return record.bytes
    }
}

/// What of a secret decides whether it opens anything: whose it is, its hash, and when it ended.
struct SealedSecret {
    /// Of `secrets p`.
    static let columns: SQL = """
        p.generation, p.prefix, p.hash, p.hash_form, p.digest_hash, p.state, p.retires_at, p.seal AS secret_seal
        """

    /// The key's.
    let id: KeyID
    let generation: Int64
    let prefix: String
    let hash: SecretHash?
    let form: StoredSecret.HashForm
    let digestHash: SecretHash?
    let state: SecretState
    let retiresAt: Instant?

    /// - Parameter row: has the id of the key, too.
    init(_ row: Row) throws(SQLiteError) { try self.init(row, of: try row["id"]) }

    /// - Parameter id: the key's.
    init(_ row: Row, of id: KeyID) throws(SQLiteError) {
        self.id = id
        generation = try row["generation"]
        prefix = try row["prefix"]
        hash = try row["hash"]
        form = try row["hash_form"]
        digestHash = try row["digest_hash"]
        state = try row["state"]
        retiresAt = try row["retires_at"]
    }

    /// A current one.
    init(_ secret: StoredSecret, of id: KeyID, generation: Int) {
        self.id = id
        self.generation = Int64(generation)
        prefix = secret.prefix
        hash = secret.hash
        form = secret.form
        digestHash = secret.digestHash
        state = .current
        retiresAt = nil
    }

    var record: [UInt8] {
        var record = SealedRecord("secret 1")
        record.add(id.text)
        record.add(generation)
        record.add(prefix)
        record.add(hash)
        record.add(form.rawValue)
        record.add(digestHash)
        // The date of an overlap's end decides between retiring and retired.
        switch (state, retiresAt) {
        case (.current, _): record.add(state.rawValue)
        case (_, let end?):
            record.add("until")
            record.add(end.milliseconds)
        case (_, nil): record.add("retired")
        }
        return record.bytes
    }
}
