internal import KeyStore
internal import Keys

/// What makes a key of fields that a person or a file gave: a held key for the inventory, or one of our own format that was
/// issued before. Used by import and by create.
struct KeyRecordRules {
    private let issuers: IssuerCatalog
    private let policy: KeyPolicy
    private let rotateEvery: Period?
    private let defaultIssuer: String?
    private let now: Instant

    /// - Parameter defaultIssuer: for fields that name none.
    init(_ loaded: LoadedConfiguration, defaultIssuer: String?, now: Instant) {
        issuers = loaded.issuers
        policy = loaded.configuration.hygiene.keys
        rotateEvery = loaded.configuration.keys.rotateEvery
        self.defaultIssuer = defaultIssuer
        self.now = now
    }

    private func profile(_ fields: borrowing ImportLine) throws(InputError) -> IssuerProfile {
        guard let name = fields.text(.issuer) ?? defaultIssuer else {
            throw InputError(
                "the issuer is missing",
                hint: "write who made the key into the field issuer, or --issuer NAME for all lines: "
                    + "\(issuers.names.joined(separator: ", ")); external for an issuer without a profile")
        }
        return try located(.issuer) { () throws(InputError) in try issuers.profile(name) }
    }

    private func kind(_ fields: borrowing ImportLine) throws(InputError) -> KeyKind {
        guard let text = fields.text(.kind) else { return .apiKey }
        return try located(.kind) { () throws(InputError) in
            try InputError.word(text, "kind of credential", KeyKind.self)
        }
    }

    private func origin(_ fields: borrowing ImportLine) throws(InputError) -> KeyOrigin {
        let profile = try profile(fields)
        guard let text = fields.text(.origin) else { return profile.name == IssuerProfile.ownName ? .issued : .held }
        let origin = try located(.origin) { () throws(InputError) in try InputError.word(text, "origin", KeyOrigin.self)
        }
        guard origin == .issued else { return .held }
        guard case .own = profile.shape else {
            throw InputError(
                "the field 'origin' says issued, but \(profile.title) made the key",
                hint: "only keys of this store's own format are issued here; write held, or leave origin empty")
        }
        return .issued
    }

    /// The key that the fields describe.
    ///
    /// - Throws: ``InputError`` with the field and the reason.
    func key(_ fields: borrowing ImportLine) throws -> NewKey {
        let profile = try profile(fields)
        let kind = try kind(fields)
        let origin = try origin(fields)
        guard let name = fields.text(.name) else {
            throw InputError("the name is missing", hint: "every key has a name")
        }
        guard origin == .held || kind == .apiKey else {
            throw InputError("a consent is not issued here", hint: "write held as its origin, and name its issuer")
        }
        let environment =
            try fields.text(.environment).map { (text) throws(InputError) in
                try located(.environment) { () throws(InputError) in try KeyEnvironment(parsing: text) }
            } ?? .live
        try located(.environment) { () throws(InputError) in try profile.check(environment) }
        let owner = try fields.text(.owner).map { (text) throws(InputError) in
            try NameRules.checked(text, what: "owner")
        }
        try located(.owner) { () throws(InputError) in try policy.check(owner: owner) }
        let createdAt = try fields.text(.createdAt).map { (text) throws(InputError) in
            try located(.createdAt) { () throws(InputError) in
                let createdAt = try Instant(parsing: text)
                // A date of today may be that of tomorrow elsewhere.
                guard createdAt < now.advanced(by: .days(1)) else {
                    throw InputError("it is in the future", hint: "give the date on which the secret was made")
                }
                return createdAt
            }
        }
        let expiresAt = try expiry(fields, profile, kind, from: createdAt ?? now)
        if let createdAt, let expiresAt, expiresAt <= createdAt {
            try located(.expiresAt) { () throws(InputError) in
                throw InputError(
                    "it is not after the creation", hint: "give both as the issuer's list has them: 2026-01-31")
            }
        }
        let resources = (fields.texts[.resources] ?? []).filter { !$0.isEmpty }
        return NewKey(
            kind: kind, origin: origin, name: try NameRules.checked(name, what: "name"), owner: owner,
            issuer: profile.name, environment: environment, permissions: try permissions(fields, profile, kind),
            resources: resources.isEmpty
                ? .all
                : try located(.resources) { () throws(InputError) in
                    try ResourceScope(parsing: resources.flatMap { $0.split(separator: ";").map(String.init) })
                },
            role: try located(.role) { () throws(InputError) in try profile.checkedRole(fields.text(.role)) },
            expiresAt: expiresAt, rotateEvery: try rotation(fields, profile, kind, neverExpires: expiresAt == nil),
            createdAt: createdAt,
            notes: try fields.text(.notes).map { (text) throws(InputError) in
                try NameRules.checked(text, what: "notes", longest: NameRules.longestNotes)
            }, client: try client(fields, kind), expected: try expected(fields))
    }

    private func expected(_ fields: borrowing ImportLine) throws(InputError) -> [String] {
        let given: [String] = fields.texts[.expected] ?? []
        let paths: [String] = given.flatMap { $0.split(separator: ";").map(String.init) }
        return try located(.expected) { () throws(InputError) in try ExpectedPath.checked(paths) }
    }

    private func client(_ fields: borrowing ImportLine, _ kind: KeyKind) throws(InputError) -> String? {
        guard let text = fields.text(.client) else { return nil }
        guard kind == .oauthConsent else {
            throw InputError(
                "the field 'client' is for consents", hint: "leave it empty, or write oauth_consent as kind")
        }
        return try NameRules.checked(text, what: "client")
    }

    private func permissions(
        _ fields: borrowing ImportLine, _ profile: IssuerProfile, _ kind: KeyKind
    ) throws(InputError) -> PermissionSet {
        let given = (fields.texts[.permissions] ?? []).filter { !$0.isEmpty }
        guard !given.isEmpty else { return .all }
        return try located(.permissions) { () throws(InputError) in
            let set = try PermissionSet(parsing: given)
            return kind == .apiKey ? try profile.checked(set) : try profile.checkedScopes(set)
        }
    }

    /// Unlike that of a new key, the expiry of one that is there already may have passed.
    private func expiry(
        _ fields: borrowing ImportLine, _ profile: IssuerProfile, _ kind: KeyKind, from start: Instant
    ) throws(InputError) -> Instant? {
        var expiresAt: Instant?
        if let text = fields.text(.expiresAt), text != "never" {
            expiresAt = try located(.expiresAt) { () throws(InputError) in try Instant(parsing: text) }
        }
        try located(.expiresAt) { () throws(InputError) in
            if kind == .apiKey { try profile.check(expiresAt: expiresAt, at: start) }
            try policy.check(expiresAt: expiresAt, from: start)
        }
        return expiresAt
    }

    private func rotation(
        _ fields: borrowing ImportLine, _ profile: IssuerProfile, _ kind: KeyKind, neverExpires: Bool
    ) throws(InputError) -> Period? {
        let text = fields.text(.rotateEvery)
        guard kind == .apiKey else {
            guard text == nil || text == "never" else {
                throw InputError("a consent has no secret to rotate", hint: "leave rotate_every empty")
            }
            return nil
        }
        guard let text else { return profile.rotateEvery ?? (neverExpires ? rotateEvery : nil) }
        guard text != "never" else { return nil }
        return try located(.rotateEvery) { () throws(InputError) in
            let period = try Period(parsing: text)
            guard period > .zero else {
                throw InputError("the rotation period is zero", hint: "give a longer one, or never")
            }
            return period
        }
    }

    // MARK: - The secret

    /// What the fields tell of the secret. It is taken out of them.
    func secret(_ fields: inout ImportLine) throws -> ImportedSecret {
        let profile = try profile(fields)
        let origin = try origin(fields)
        // The shape is that of the issuer's API keys; nothing is known of tokens of a consent.
        let shape = try kind(fields) == .apiKey ? profile.shape : .unknown
        var given: String?
        if let text = fields.text(.prefix) {
            given = try located(.prefix) { () throws(InputError) in try shape.checkedPrefix(text) }
        }
        if let secret = fields.takeSecret() {
            guard fields.text(.hash) == nil else {
                throw InputError("there is a secret and a hash", hint: "give the one or the other")
            }
            return try whole(secret, shape, prefix: given)
        }
        if given == nil, let client = fields.text(.client) { given = try shape.checkedPrefix(client) }
        guard let given else {
            throw InputError(
                "there is neither secret nor prefix", hint: "give a secret, a hash with its prefix, or a prefix alone")
        }
        guard let hash = fields.text(.hash) else {
            guard origin == .held else {
                throw InputError(
                    "a key that is issued here is verified here, and a prefix is not enough for that",
                    hint: "give its secret or hash, or write held as its origin")
            }
            return .prefix(given)
        }
        return .digest(try located(.hash) { () throws(InputError) in try Self.digest(hash) }, prefix: given)
    }

    private func whole(
        _ secret: consuming Secret, _ shape: SecretShape, prefix given: String?
    ) throws -> ImportedSecret {
        guard secret.count <= Secret.longest else {
            throw InputError("the secret is too long", hint: "give the secret alone")
        }
        guard secret.withBytes({ bytes in bytes.indices.allSatisfy { bytes[$0] > 0x20 && bytes[$0] < 0x7F } }) else {
            throw InputError(
                "the secret holds characters that no secret has",
                hint: "give the secret alone, in visible ASCII characters")
        }
        let length: Int
        if let given {
            let bytes = Array(given.utf8)
            let isStart = secret.withBytes { span in
                span.count > bytes.count && bytes.indices.allSatisfy { span[$0] == bytes[$0] }
            }
            guard isStart else {
                if case .signIn = shape {
                    throw InputError(
                        "the secret does not begin with its sign-in", hint: "write SIGN-IN:SECRET, with a colon")
                }
                throw InputError(
                    "the secret does not begin with its prefix", hint: "check both, or leave the prefix out")
            }
            // Where the prefix is given, the secret may be of another length than the profile says: providers change theirs.
            length = bytes.count
        } else {
            length = try secret.withBytes { (span) throws(InputError) in try shape.prefixLength(of: span) }
        }
        return .whole(secret, prefixLength: length)
    }

    /// Runs a check of one field, and names the field in what it refuses.
    private func located<Value>(
        _ field: ImportLine.Field, _ body: () throws(InputError) -> Value
    ) throws(InputError) -> Value {
        do { return try body() } catch {
            throw InputError("the field '\(field.rawValue)': \(error.message)", hint: error.hint)
        }
    }

    /// 64 hexadecimal digits.
    private static func digest(_ text: String) throws(InputError) -> [UInt8] {
        let digits = Array(text.utf8)
        guard digits.count == 64 else {
            throw InputError(
                "the hash has \(digits.count) characters",
                hint: "give the SHA-256 of the secret as 64 hexadecimal digits")
        }
        guard let bytes = Hexadecimal.bytes(digits) else {
            throw InputError(
                "the hash is not hexadecimal", hint: "give the SHA-256 of the secret as 64 hexadecimal digits")
        }
        return bytes
    }
}
