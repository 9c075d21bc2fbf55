internal import CLinux

/// The bytes of a secret, in memory that is zeroed when the value ends.
///
/// It cannot be copied and has no description, so printing one does not compile. The bytes are accessible only through
/// a closure. This is the only file of the module that uses unsafe memory: one allocation of `capacity` bytes, made in
/// `init`, every access within `count <= capacity`, freed in `deinit`.
///
/// Unchecked: the memory belongs to one value, and only the value's owner can change it.
@safe package struct Secret: ~Copyable, @unchecked Sendable {
    // Unchecked: the memory is written only through `mutating` members, which need exclusive access.
    private let storage: UnsafeMutableBufferPointer<UInt8>
    /// Length in bytes.
    package private(set) var count: Int

    /// The maximum length of a secret, in bytes; a longer value is not a credential.
    package static let longest = 4096

    /// An empty secret with room for `capacity` bytes.
    package init(capacity: Int) {
        unsafe storage = .allocate(capacity: max(capacity, 1))
        unsafe storage.initialize(repeating: 0)
        count = 0
    }

    deinit {
        // explicit_bzero, because a compiler may remove an ordinary store to memory that is freed next.
        if let start = unsafe storage.baseAddress { unsafe explicit_bzero(start, storage.count) }
        unsafe storage.deallocate()
    }

    /// Copies bytes. The caller is responsible for zeroing the original.
    package init(copying bytes: borrowing Span<UInt8>) {
        self.init(capacity: bytes.count)
        for index in bytes.indices { append(bytes[index]) }
    }

    /// Appends a byte. Exceeding the capacity is a programming error.
    package mutating func append(_ byte: UInt8) {
        precondition(unsafe count < storage.count, "a secret outgrew its memory")
        unsafe storage[count] = byte
        count += 1
    }

    /// Empties the secret. Its memory is zeroed and kept for reuse.
    package mutating func removeAll() {
        if let start = unsafe storage.baseAddress { unsafe explicit_bzero(start, count) }
        count = 0
    }

    /// Appends bytes that are not secret, such as a prefix.
    package mutating func append(contentsOf bytes: some Sequence<UInt8>) {
        for byte in bytes { append(byte) }
    }

    /// Appends what `body` writes into the room that is left; it returns how many bytes that is.
    package mutating func append<Failure: Error>(
        filling body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) {
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(storage)[count...])
        let written = unsafe try body(room)
        precondition(written >= 0 && written <= room.count, "a secret outgrew its memory")
        count += written
    }

    /// Calls `body` with the bytes, which it must not keep.
    package borrowing func withBytes<Result, Failure: Error>(
        _ body: (borrowing Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let bytes = unsafe UnsafeBufferPointer(start: storage.baseAddress, count: count)
        let span = unsafe Span(_unsafeElements: bytes)
        return try body(span)
    }

    /// The first bytes as text. For the visible prefix only: nothing else may be shown.
    package borrowing func text(upTo count: Int) -> String {
        precondition(count >= 0 && count <= self.count, "a prefix is longer than its secret")
        var bytes: [UInt8] = []
        for index in 0..<count { bytes.append(unsafe storage[index]) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A copy of the bytes in a range.
    package borrowing func slice(_ range: Range<Int>) -> Secret {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "a slice lies outside its secret")
        var result = Secret(capacity: range.count)
        for index in range { result.append(unsafe storage[index]) }
        return result
    }
}
