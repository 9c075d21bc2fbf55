/// An array of trivial values that may be too large for memory: beyond a size it is in a file (``ScratchSpace``). It is
/// a value type with copy on write.
///
/// Unsafe code: the elements are in mapped memory. Bounds: every index is checked against ``count``, and the region,
/// which this value retains, has room for `capacity >= count` elements. Any bytes are valid for a `BitwiseCopyable`. A
/// shared region never changes: a writer that does not own it alone moves to another one first.
@safe struct LongArray<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    private var start: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private var capacity: Int
    private var region: ScratchRegion

    /// - Parameter capacity: the initial capacity.
    init(in space: ScratchSpace, capacity: Int = 0) {
        region = ScratchRegion(space, length: capacity * MemoryLayout<Element>.stride)
        self.capacity = region.length / MemoryLayout<Element>.stride
        unsafe start = region.start.bindMemory(to: Element.self, capacity: self.capacity)
    }

    init(repeating element: Element, count: Int, in space: ScratchSpace) {
        self.init(in: space, capacity: count)
        unsafe start.update(repeating: element, count: count)
        self.count = count
    }

    /// An array of zero elements, which a new region consists of.
    init(zeros count: Int, in space: ScratchSpace) {
        self.init(in: space, capacity: count)
        self.count = count
    }

    init(_ elements: some Collection<Element>, in space: ScratchSpace) {
        self.init(in: space, capacity: elements.count)
        for element in elements { append(element) }
    }

    var isInFile: Bool { region.isFile }

    private var isAlone: Bool { mutating get { isKnownUniquelyReferenced(&region) } }

    /// Moves to its own region with room for at least `room` elements.
    private mutating func move(room: Int) {
        if room > capacity, isAlone, region.grow(to: room * MemoryLayout<Element>.stride) {
            capacity = region.length / MemoryLayout<Element>.stride
            unsafe start = region.start.bindMemory(to: Element.self, capacity: capacity)
            return
        }
        let moved = ScratchRegion(region.space, length: room * MemoryLayout<Element>.stride)
        let capacity = moved.length / MemoryLayout<Element>.stride
        let target = unsafe moved.start.bindMemory(to: Element.self, capacity: capacity)
        unsafe target.update(from: start, count: count)
        region = moved
        self.capacity = capacity
        unsafe start = target
    }

    /// Makes room for `wanted` elements in total.
    mutating func reserveCapacity(_ wanted: Int) {
        if wanted > capacity { move(room: wanted) }
    }

    mutating func append(_ element: Element) {
        if count == capacity || !isAlone { move(room: count == capacity ? Swift.max(8, count * 2) : capacity) }
        unsafe start[count] = element
        count += 1
    }

    /// Appends without a check for uniqueness, for loops: call ``beAlone()`` before, and make no copy in between.
    mutating func appendAlone(_ element: Element) {
        if count == capacity { move(room: Swift.max(8, count * 2)) }
        unsafe start[count] = element
        count += 1
    }

    /// Sets an element without a check for uniqueness, after ``beAlone()``.
    mutating func setAlone(_ index: Int, _ element: Element) {
        precondition(index >= 0 && index < count, "no such element")
        unsafe start[index] = element
    }

    /// Makes the region unique, so that changes do not affect a copy.
    mutating func beAlone() {
        if !isAlone { move(room: capacity) }
    }

    mutating func append(contentsOf other: Self) {
        if count + other.count > capacity || !isAlone { move(room: Swift.max(capacity, count + other.count)) }
        unsafe (start + count).update(from: other.start, count: other.count)
        count += other.count
    }

    mutating func append(repeating element: Element, count more: Int) {
        if count + more > capacity || !isAlone { move(room: Swift.max(capacity, count + more)) }
        unsafe (start + count).update(repeating: element, count: more)
        count += more
    }

    mutating func popLast() -> Element? {
        guard count > 0 else { return nil }
        count -= 1
        return unsafe start[count]
    }

    mutating func swapAt(_ first: Int, _ second: Int) {
        let element = self[first]
        self[first] = self[second]
        self[second] = element
    }

    /// Removes all elements and keeps the capacity.
    mutating func removeAll() { count = 0 }

    /// All elements, for loops that change many of them.
    var mutableSpan: MutableSpan<Element> {
        @_lifetime(&self)
        mutating get {
            beAlone()
            let span = unsafe MutableSpan(_unsafeStart: start, count: count)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }

    var span: Span<Element> {
        @_lifetime(borrow self)
        get {
            let span = unsafe Span(_unsafeStart: start, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }
}

extension LongArray: RandomAccessCollection {
    var startIndex: Int { 0 }
    var endIndex: Int { count }

    subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count, "no such element")
            return unsafe start[index]
        }
        set {
            precondition(index >= 0 && index < count, "no such element")
            beAlone()
            unsafe start[index] = newValue
        }
    }
}
