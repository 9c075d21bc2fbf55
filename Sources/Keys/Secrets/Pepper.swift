internal import Crypto
internal import Foundation

/// The key under which secrets are hashed: random bytes kept outside the store, so that a copy of the store alone
/// tells nothing about the secrets, however weak (RFC 2104; NIST SP 800-63B, section 5.1.1.2, on keyed hashing).
package final class Pepper: Sendable {
    // SymmetricKey keeps its bytes in memory that it zeroes.
    private let secretKey: SymmetricKey
    private let auditState: HMAC<SHA256>
    /// Tells one pepper from another without telling either. The store keeps it, to refuse the wrong pepper.
    package let fingerprint: SecretHash

    /// The number of bytes of a pepper that this program makes.
    package static let byteCount = 32

    /// - Throws: ``InputError`` for fewer than 16 or more than 4,096 bytes.
    package init(_ bytes: borrowing Secret) throws(InputError) {
        guard (16...4096).contains(bytes.count) else {
            throw InputError(
                "the pepper has \(bytes.count) bytes",
                hint: "a pepper has at least 16, and 32 where this program makes it")
        }
        let root = bytes.withBytes { span in
            unsafe span.withUnsafeBufferPointer { unsafe SymmetricKey(data: $0) }
        }
        // One key for each purpose (NIST SP 800-108): what is known of one use tells nothing of another.
        secretKey = Self.derive("keyvigil secret hash v1", from: root)
        auditState = HMAC<SHA256>(key: Self.derive("keyvigil audit chain v1", from: root))
        let check = HMAC<SHA256>.authenticationCode(for: Array("keyvigil pepper check v1".utf8), using: root)
        fingerprint = SecretHash(Array(check))
    }

    private static func derive(_ label: String, from root: SymmetricKey) -> SymmetricKey {
        SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(label.utf8), using: root))
    }

    /// The hash of a secret: HMAC-SHA-256 under a key derived from the pepper.
    package func hash(_ secret: borrowing Secret) -> SecretHash {
        secret.withBytes { hash($0) }
    }

    /// The hash of the bytes of a secret, or of a candidate that may be one.
    package func hash(_ bytes: borrowing Span<UInt8>) -> SecretHash {
        let code = unsafe bytes.withUnsafeBufferPointer {
            unsafe HMAC<SHA256>.authenticationCode(for: UnsafeRawBufferPointer($0), using: secretKey)
        }
        return SecretHash(Array(code))
    }

    /// The hash of a secret of which only the SHA-256 is known (32 bytes): a keyed hash of that.
    package func hash(digest: [UInt8]) -> SecretHash {
        SecretHash(Array(HMAC<SHA256>.authenticationCode(for: Array("sha256:".utf8) + digest, using: secretKey)))
    }

    /// The hash under which a secret stands that was imported as its SHA-256.
    package func hashOfDigest(_ bytes: borrowing Span<UInt8>) -> SecretHash {
        let digest = unsafe bytes.withUnsafeBufferPointer { unsafe SHA256.hash(data: UnsafeRawBufferPointer($0)) }
        return hash(digest: Array(digest))
    }

    /// The key of ``hash(_:)``, for whoever has to recognise secrets without the pepper. It tells nothing of other uses of the
    /// pepper.
    package var hashKey: [UInt8] { unsafe secretKey.withUnsafeBytes { unsafe Array($0) } }

    /// The hashes under which a candidate may be known: its own, and that of its SHA-256.
    package static func hashes(of candidate: borrowing Span<UInt8>, hashKey: [UInt8]) -> [SecretHash] {
        let key = SymmetricKey(data: hashKey)
        let own = unsafe candidate.withUnsafeBufferPointer {
            unsafe HMAC<SHA256>.authenticationCode(for: UnsafeRawBufferPointer($0), using: key)
        }
        let digest = unsafe candidate.withUnsafeBufferPointer { unsafe SHA256.hash(data: UnsafeRawBufferPointer($0)) }
        let ofDigest = HMAC<SHA256>.authenticationCode(for: Array("sha256:".utf8) + digest, using: key)
        return [SecretHash(Array(own)), SecretHash(Array(ofDigest))]
    }

    /// The link of the audit chain for an event, given the link before it.
    package func auditLink(after previous: [UInt8], event: [UInt8]) -> [UInt8] {
        // A copy of the keyed state: the key is not worked in anew for each event.
        var code = auditState
        code.update(data: previous)
        code.update(data: event)
        return Array(code.finalize())
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
