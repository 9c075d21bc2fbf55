internal import CGcrypt

/// A checksum of what has no secret in it.
package enum Checksum {
    /// SHA-256 (FIPS 180-4).
    package static func sha256(_ bytes: Span<UInt8>) -> [UInt8] {
        let hash = ContentHash(idLength: 32)
        hash.add(bytes)
        return hash.finish()
    }
}

/// The checksum that git names objects and packs by: SHA-1 or SHA-256, computed by libgcrypt over content that may come
/// in pieces. One thread at a time uses it.
///
/// Unsafe code: the calls of C. Each pointer is valid during the call that uses it, and the digest is copied before the
/// context is used again.
@safe final class ContentHash {
    private let handle: gcry_md_hd_t
    private let length: Int

    private static let isPrepared = keyvigil_prepare_gcrypt(16 << 10) == 0

    /// - Parameter idLength: 20 for SHA-1, 32 for SHA-256.
    init(idLength: Int) {
        guard Self.isPrepared else { fatalError("libgcrypt is older than this program needs") }
        let algorithm = idLength == 20 ? GCRY_MD_SHA1 : GCRY_MD_SHA256
        var handle: gcry_md_hd_t?
        // The content may hold a secret, and so may what the context buffers of it.
        let failure = unsafe gcry_md_open(&handle, Int32(algorithm.rawValue), GCRY_MD_FLAG_SECURE.rawValue)
        guard failure == 0, let handle = unsafe handle else { fatalError("libgcrypt has no memory for a hash") }
        unsafe self.handle = handle
        length = idLength
    }

    deinit { unsafe gcry_md_close(handle) }

    func add(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe gcry_md_write(handle, $0.baseAddress, $0.count) }
    }

    /// Adds what git puts before the content of an object: `KIND SIZE NUL`.
    func addHeader(_ kind: ObjectKind, size: UInt64) {
        let header = Array("\(kind.word) \(size)\0".utf8)
        add(header.span)
    }

    /// Drops what was added.
    func restart() { unsafe gcry_md_reset(handle) }

    /// The checksum of what was added since the start.
    func finish() -> [UInt8] {
        defer { restart() }
        return unsafe Array(UnsafeBufferPointer(start: gcry_md_read(handle, 0), count: length))
    }

    /// The same as the name of an object.
    func finishID() -> ObjectID { ObjectID(finish().span, at: 0, length: length) }
}
