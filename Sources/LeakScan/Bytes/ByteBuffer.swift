internal import Glibc

/// Memory for one rebuilt object, reused for the next, and zeroed before it is given back: what is searched may hold
/// secrets.
///
/// Unsafe inside, because an array cannot be filled by a C function without being zeroed first, and objects
/// of many gigabytes go through here. Bounds: every write checks `count + n <= capacity`. A span of ``bytes``
/// is valid until the next write; the owner, always a single thread, takes spans only after the last write.
@safe final class ByteBuffer {
    private var storage: UnsafeMutableRawPointer
    private(set) var capacity: Int
    private(set) var count = 0
    /// The most that was ever written; nothing stands behind it.
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

    /// Empties the buffer and makes room for `capacity` bytes; what was in it is gone.
    func reset(capacity wanted: Int) {
        count = 0
        guard wanted > capacity else { return }
        // A little more than was asked for: successive versions of a file grow slowly.
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

    /// Appends `source`, which must not be a part of this buffer. There must be room: ``reset(capacity:)``
    /// made it.
    func append(_ source: Span<UInt8>) {
        let length = source.count
        precondition(length <= capacity - count, "no room in the buffer")
        unsafe source.withUnsafeBytes { from in
            guard let start = from.baseAddress else { return }
            unsafe (storage + count).copyMemory(from: start, byteCount: length)
        }
        count += length
        used = max(used, count)
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
        // What a failed write has left counts too.
        used = max(used, count + room)
        let written = unsafe try body(target)
        precondition(written >= 0 && written <= room, "wrote past the room")
        count += written
    }

    /// Moves the last `tail` bytes to the front and forgets the rest.
    func keepTail(_ tail: Int) {
        precondition(tail >= 0 && tail <= count, "no such tail")
        unsafe storage.copyMemory(from: storage + (count - tail), byteCount: tail)
        count = tail
    }
}

/// The buffers of one thread that are free for reuse, by size: a small object in a large buffer would waste memory, and the
/// processor's caches.
struct BufferPool: ~Copyable {
    /// Buffers of at least `2^n` bytes and less than `2^(n+1)`, the one that was used last at the end.
    private var free: [[ByteBuffer]] = .init(repeating: [], count: Self.largest + 1)
    private var freeBytes = 0

    /// What is larger goes back to the system, as all does beyond ``mostFree`` bytes: memory is promised to stay small.
    private static let largest = 22
    private static let mostFree = 6 << 20
    private static let smallest = 12

    mutating func take(capacity: Int) -> ByteBuffer {
        let wanted = max(capacity, 1 << Self.smallest)
        // The next power of two: all buffers there are large enough.
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
