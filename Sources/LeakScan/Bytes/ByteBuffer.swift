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

/// The buffers of one thread that are free for reuse.
struct BufferPool: ~Copyable {
    private var free: [ByteBuffer] = []

    mutating func take(capacity: Int) -> ByteBuffer {
        let buffer = free.popLast() ?? ByteBuffer(capacity: capacity)
        buffer.reset(capacity: capacity)
        return buffer
    }

    mutating func give(_ buffer: ByteBuffer) {
        // What is large or many goes back to the system: memory is promised to stay small.
        if free.count < 64 && buffer.capacity <= 8 << 20 { free.append(buffer) }
    }
}
