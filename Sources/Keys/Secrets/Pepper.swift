/// The key under which secrets are hashed: random bytes kept outside the store, so that a copy of the store alone
/// reveals nothing about the secrets, however weak they are (RFC 2104; NIST SP 800-63B, section 5.1.1.2, on keyed
/// hashing).
package final class Pepper: Sendable {
    private let secretKey: Secret
    private let secretHash: KeyedHash
    private let auditHash: KeyedHash
    private let rowHash: KeyedHash
    /// Tells one pepper from another without telling either. The store keeps it, to refuse the wrong pepper.
    package let fingerprint: SecretHash

    /// The length of a generated pepper, in bytes.
    package static let byteCount = 32

    /// - Throws: ``InputError`` for fewer than 16 or more than 4,096 bytes.
    package init(_ bytes: borrowing Secret) throws(InputError) {
        guard (16...4096).contains(bytes.count) else {
            throw InputError(
                "the pepper has \(bytes.count) bytes",
                hint: "a pepper has 16 to 4096 bytes; a generated one has 32")
        }
        let root = KeyedHash(key: bytes)
        // One key for each purpose (NIST SP 800-108): what is known of one use tells nothing of another.
        secretKey = Self.derive("keyvigil secret hash v1", from: root)
        secretHash = KeyedHash(key: secretKey)
        auditHash = KeyedHash(key: Self.derive("keyvigil audit chain v1", from: root))
        rowHash = KeyedHash(key: Self.derive("keyvigil row seal v1", from: root))
        fingerprint = SecretHash(root.code(of: Array("keyvigil pepper check v1".utf8).span))
    }

    private static func derive(_ label: String, from root: KeyedHash) -> Secret {
        root.withCode(of: Array(label.utf8).span) { code in Secret(copying: code) }
    }

    /// The hash of a secret: HMAC-SHA-256 under a key derived from the pepper.
    package func hash(_ secret: borrowing Secret) -> SecretHash {
        secret.withBytes { hash($0) }
    }

    /// The hash of the bytes of a secret, or of a candidate.
    package func hash(_ bytes: borrowing Span<UInt8>) -> SecretHash {
        SecretHash(secretHash.code(of: bytes))
    }

    /// The hash of a secret of which only the SHA-256 (32 bytes) is known: a keyed hash of the digest.
    package func hash(digest: [UInt8]) -> SecretHash {
        SecretHash(secretHash.code(of: Array("sha256:".utf8), and: digest))
    }

    /// The hash under which the store keeps a secret that was imported as its SHA-256.
    package func hashOfDigest(_ bytes: borrowing Span<UInt8>) -> SecretHash {
        hash(digest: KeyedHash.digest(of: bytes))
    }

    /// The hashes under which the bytes of a secret may be known.
    ///
    /// - Parameter includesDigest: whether it may be known by its SHA-256, too.
    package func hashes(of candidate: borrowing Span<UInt8>, includesDigest: Bool) -> [SecretHash] {
        includesDigest ? [hash(candidate), hashOfDigest(candidate)] : [hash(candidate)]
    }

    /// The key of ``hash(_:)``, for whoever has to recognise secrets without the pepper. It tells nothing of other uses of the
    /// pepper.
    package var hashKey: [UInt8] {
        secretKey.withBytes { bytes in bytes.indices.map { bytes[$0] } }
    }

    /// The hashes under which a candidate may be known: its own, and that of its SHA-256.
    package static func hashes(of candidate: borrowing Span<UInt8>, hashKey: [UInt8]) -> [SecretHash] {
        let hash = KeyedHash(key: Secret(copying: hashKey.span))
        return [
            SecretHash(hash.code(of: candidate)),
            SecretHash(hash.code(of: Array("sha256:".utf8), and: KeyedHash.digest(of: candidate))),
        ]
    }

    /// The seal of a record, by which a change that is made without the pepper shows.
    package func seal(_ record: [UInt8]) -> SecretHash { SecretHash(rowHash.code(of: record.span)) }

    /// The link of the audit chain for an event, given the link before it.
    package func auditLink(after previous: [UInt8], event: [UInt8]) -> [UInt8] {
        auditHash.code(of: previous, and: event)
    }
}

/// A keyed hash of a secret, 32 bytes. Useless without the pepper.
package struct SecretHash: Sendable, Hashable {
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Compares in a time that does not depend on where the bytes differ.
    package static func == (first: SecretHash, second: SecretHash) -> Bool {
        guard first.bytes.count == second.bytes.count else { return false }
        var difference: UInt8 = 0
        for index in first.bytes.indices { difference |= first.bytes[index] ^ second.bytes[index] }
        return difference == 0
    }
}
