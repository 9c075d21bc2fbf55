internal import CGcrypt
internal import Synchronization

/// HMAC-SHA-256 (RFC 2104) under one key, by libgcrypt. Any thread may use it.
///
/// The key is worked into a context once. The context lies in memory that is locked where RLIMIT_MEMLOCK allows it, is
/// reset after each message, so that nothing of a message stays in it, and is zeroed when the value ends. One context
/// behind a lock is faster than a copy for each message, and is held for less than a microsecond.
///
/// Unsafe are the calls of C: each pointer to a message or a code is valid during the call that uses it.
package final class KeyedHash: Sendable {
    private let context: Context
    // The context is used under this lock alone.
    private let lock = Mutex(())

    /// The length of a code in bytes.
    package static let codeLength = 32

    package init(key: borrowing Secret) {
        context = Context(key: key)
    }

    /// Runs `body` on the code of a message, which must not be kept.
    package func withCode<Result: Sendable & ~Copyable>(
        of message: borrowing Span<UInt8>, _ body: (borrowing Span<UInt8>) -> Result
    ) -> Result {
        unsafe message.withUnsafeBufferPointer { message in
            lock.withLock { _ in
                unsafe context.add(message)
                return context.finish(body)
            }
        }
    }

    /// The code of a message.
    package func code(of message: borrowing Span<UInt8>) -> [UInt8] {
        withCode(of: message, Self.bytes)
    }

    /// The code of a message in two parts.
    package func code(of start: [UInt8], and end: [UInt8]) -> [UInt8] {
        lock.withLock { _ in
            unsafe start.withUnsafeBufferPointer { unsafe context.add($0) }
            unsafe end.withUnsafeBufferPointer { unsafe context.add($0) }
            return context.finish(Self.bytes)
        }
    }

    private static func bytes(of code: borrowing Span<UInt8>) -> [UInt8] {
        unsafe code.withUnsafeBufferPointer { unsafe Array($0) }
    }

    /// The SHA-256 (FIPS 180-4) of a message, without a key.
    package static func digest(of message: borrowing Span<UInt8>) -> [UInt8] {
        Library.prepare()
        return unsafe message.withUnsafeBufferPointer { message in
            unsafe [UInt8](unsafeUninitializedCapacity: codeLength) { buffer, count in
                unsafe gcry_md_hash_buffer(
                    Int32(GCRY_MD_SHA256.rawValue), buffer.baseAddress, message.baseAddress, message.count)
                count = codeLength
            }
        }
    }
}

/// A context of libgcrypt with its key, closed when the value ends. One thread at a time may use it.
@safe private struct Context: ~Copyable, @unchecked Sendable {
    private let handle: gcry_md_hd_t

    init(key: borrowing Secret) {
        Library.prepare()
        var handle: gcry_md_hd_t?
        let flags = GCRY_MD_FLAG_HMAC.rawValue | GCRY_MD_FLAG_SECURE.rawValue
        let opening = unsafe gcry_md_open(&handle, Int32(GCRY_MD_SHA256.rawValue), flags)
        guard opening == 0, let handle = unsafe handle else { fatalError("libgcrypt has no memory for HMAC-SHA-256") }
        let keying = key.withBytes { key in
            unsafe key.withUnsafeBufferPointer { unsafe gcry_md_setkey(handle, $0.baseAddress, $0.count) }
        }
        guard keying == 0 else { fatalError("libgcrypt refuses the key of an HMAC") }
        unsafe self.handle = handle
    }

    deinit { unsafe gcry_md_close(handle) }

    func add(_ bytes: UnsafeBufferPointer<UInt8>) {
        unsafe gcry_md_write(handle, bytes.baseAddress, bytes.count)
    }

    /// Ends the message and makes the context ready for the next.
    func finish<Result: ~Copyable>(_ body: (borrowing Span<UInt8>) -> Result) -> Result {
        defer { unsafe gcry_md_reset(handle) }
        let code = unsafe UnsafeBufferPointer(start: gcry_md_read(handle, 0), count: KeyedHash.codeLength)
        return body(unsafe Span(_unsafeElements: code))
    }
}

private enum Library {
    // A context takes about 1 kB, and a process has few peppers.
    private static let isReady: Bool = keyvigil_prepare_gcrypt(16 << 10) == 0

    static func prepare() {
        guard isReady else { fatalError("libgcrypt is older than 1.8") }
    }
}
