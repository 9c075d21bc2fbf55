internal import Glibc

/// Memory for one reconstructed object, reused for the next one. It is zeroed before it is freed, because the content
/// may contain secrets.
///
/// Unsafe code: an array would have to be zeroed before a C function can fill it, which is too slow for gigabytes of
/// objects. Bounds: every write checks `count + n <= capacity`. A span of ``bytes`` is valid until the next write; the
/// owner, always a single thread, takes spans only after the last write.
@safe final class ByteBuffer {
    private var storage: UnsafeMutableRawPointer
    private(set) var capacity: Int
    private(set) var count = 0
    /// The highest offset that was ever written: the length that has to be zeroed.
    private var used = 0

    init(capacity: Int = 0) {
        self.capacity = max(capacity, 64)
        unsafe storage = .allocate(byteCount: self.capacity, alignment: 16)
    }

    deinit { release() }

    private func release() {
        unsafe explicit_bzero(storage, used)
        unsafe storage.deallocate()
        used = 0
    }

    /// Empties the buffer and makes room for `capacity` bytes.
    func reset(capacity wanted: Int) {
        count = 0
        guard wanted > capacity else { return }
        // A quarter more than requested, because successive versions of a file grow slowly.
        let roomier = wanted + wanted >> 2
        release()
        unsafe storage = .allocate(byteCount: roomier, alignment: 16)
        capacity = roomier
    }

    var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let whole = unsafe UnsafeRawBufferPointer(start: storage, count: count)
            let span = unsafe Span<UInt8>(_unsafeBytes: whole)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Appends `source`, which must not be part of this buffer. There must be room for it, from ``reset(capacity:)``.
    @inline(__always)
    func append(_ source: Span<UInt8>) {
        let length = source.count
        precondition(length <= capacity - count, "no room in the buffer")
        unsafe source.withUnsafeBytes { from in
            guard let start = from.baseAddress else { return }
            unsafe Self.copy(start, length, to: storage + count)
        }
        count &+= length
        used = max(used, count)
    }

    /// Copies `length` bytes. Most of what deltas copy and insert is a few bytes: two words that may overlap.
    @inline(__always)
    private static func copy(_ from: UnsafeRawPointer, _ length: Int, to: UnsafeMutableRawPointer) {
        if length > 16 || length < 4 { return unsafe to.copyMemory(from: from, byteCount: length) }
        if length >= 8 {
            let first = unsafe from.loadUnaligned(as: UInt64.self)
            let last = unsafe (from + (length &- 8)).loadUnaligned(as: UInt64.self)
            unsafe to.storeBytes(of: first, as: UInt64.self)
            unsafe (to + (length &- 8)).storeBytes(of: last, as: UInt64.self)
        } else {
            let first = unsafe from.loadUnaligned(as: UInt32.self)
            let last = unsafe (from + (length &- 4)).loadUnaligned(as: UInt32.self)
            unsafe to.storeBytes(of: first, as: UInt32.self)
            unsafe (to + (length &- 4)).storeBytes(of: last, as: UInt32.self)
        }
    }

    /// Makes room for `count` more bytes, and keeps those that are there.
    func grow(by count: Int) {
        guard count > capacity - self.count else { return }
        let roomier = max(self.count + count, 2 * capacity)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: roomier, alignment: 16)
        unsafe larger.copyMemory(from: storage, byteCount: self.count)
        release()
        unsafe storage = larger
        capacity = roomier
        used = self.count
    }

    /// Appends one byte. There must be room: ``reset(capacity:)`` made it.
    func append(_ byte: UInt8) {
        precondition(count < capacity, "no room in the buffer")
        unsafe storage.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
        used = max(used, count)
    }

    /// Appends what `body` writes into the `room` bytes that it is given; it returns how many those are.
    func append<Failure: Error>(
        room: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) {
        precondition(room >= 0 && room <= capacity - count, "no room in the buffer")
        let target = unsafe UnsafeMutableRawBufferPointer(start: storage + count, count: room)
        // Counted before the write, because a failed one may also leave bytes.
        used = max(used, count + room)
        let written = unsafe try body(target)
        precondition(written >= 0 && written <= room, "wrote past the room")
        count += written
    }

    /// Moves the last `tail` bytes to the front and drops the rest.
    func keepTail(_ tail: Int) {
        precondition(tail >= 0 && tail <= count, "no such tail")
        unsafe storage.copyMemory(from: storage + (count - tail), byteCount: tail)
        count = tail
    }
}

/// The free buffers of one thread, by size: a small object in a large buffer would waste memory and cache.
struct BufferPool: ~Copyable {
    /// At index `n`, buffers of at least `2^n` and less than `2^(n+1)` bytes; the last used one is last.
    private var free: [[ByteBuffer]] = .init(repeating: [], count: Self.largest + 1)
    private var freeBytes = 0

    /// Larger buffers are freed, as are all beyond ``mostFree`` bytes, to limit memory use.
    private static let largest = 22
    private static let mostFree = 6 << 20
    private static let smallest = 12

    mutating func take(capacity: Int) -> ByteBuffer {
        let wanted = max(capacity, 1 << Self.smallest)
        // Rounded up to a power of two, so that all buffers at this index are large enough.
        let size = Int.bitWidth - (wanted - 1).leadingZeroBitCount
        var at = size
        while at <= min(size + 1, Self.largest) {
            if let buffer = free[at].popLast() {
                freeBytes -= buffer.capacity
                buffer.reset(capacity: capacity)
                return buffer
            }
            at += 1
        }
        return ByteBuffer(capacity: size <= Self.largest ? 1 << size : capacity)
    }

    mutating func give(_ buffer: ByteBuffer) {
        let size = Int.bitWidth - 1 - buffer.capacity.leadingZeroBitCount
        guard size <= Self.largest, freeBytes + buffer.capacity <= Self.mostFree else { return }
        freeBytes += buffer.capacity
        free[size].append(buffer)
    }
}
