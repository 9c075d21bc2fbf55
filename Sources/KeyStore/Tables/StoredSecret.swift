internal import Keys

/// What the store knows of a secret: where its hash comes from, and whether it was made here.
struct StoredSecret {
    enum Origin: String, ColumnValue {
        case created, imported
    }

    enum HashForm: String, ColumnValue {
        case secret, sha256
    }

    var prefix: String
    var hash: SecretHash?
    /// The hash under which it would be known if only its SHA-256 were; nil where only the prefix is known.
    var digestHash: SecretHash?
    /// The hashes under which merged stores would know it.
    var mergedHashes: [SecretHash] = []
    var form: HashForm = .secret
    var length: Int?
    var origin: Origin

    /// A secret that is known whole.
    init(
        _ secret: borrowing Secret, prefix: String, origin: Origin, pepper: Pepper,
        merged: FoundPeppers = FoundPeppers()
    ) {
        self.prefix = prefix
        hash = pepper.hash(secret)
        digestHash = secret.withBytes { pepper.hashOfDigest($0) }
        mergedHashes = secret.withBytes { merged.hashes(of: $0, includesDigest: true) }
        length = secret.count
        self.origin = origin
    }

    /// A secret of which only the SHA-256 is known, 32 bytes.
    init(digest: [UInt8], prefix: String, pepper: Pepper, merged: FoundPeppers) {
        self.prefix = prefix
        hash = pepper.hash(digest: digest)
        digestHash = hash
        mergedHashes = merged.peppers.map { $0.hash(digest: digest) }
        form = .sha256
        origin = .imported
    }

    /// A secret of which only the visible start is known.
    init(prefix: String) {
        self.prefix = prefix
        origin = .imported
    }
}
