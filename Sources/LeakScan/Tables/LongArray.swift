/// An array of numbers, or of plain values of numbers, of which there may be too many for the memory: beyond a size it
/// lives in a file (``ScratchSpace``). A value like any array: who changes a copy has a copy.
///
/// Unsafe inside, because its elements are where no Swift array can be. Bounds: every index is checked against ``count``, and
/// `count <= capacity` elements are in the region, which this keeps. Any bytes are good for a `BitwiseCopyable`, and the
/// region is the same for as long as it is shared: who writes and is not alone moves to another one first.
@safe struct LongArray<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    private var start: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private var capacity: Int
    private var region: ScratchRegion

    /// - Parameter capacity: for how many elements there is room at first.
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

    /// Of elements that are nothing but zeros: a new region is.
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

    /// Moves to a region of its own with room for so many elements at least.
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

    /// Makes room for so many elements in all.
    mutating func reserveCapacity(_ wanted: Int) {
        if wanted > capacity { move(room: wanted) }
    }

    mutating func append(_ element: Element) {
        if count == capacity || !isAlone { move(room: count == capacity ? Swift.max(8, count * 2) : capacity) }
        unsafe start[count] = element
        count += 1
    }

    /// The same after ``beAlone()``, for loops that append much: nobody has taken a copy since.
    mutating func appendAlone(_ element: Element) {
        if count == capacity { move(room: Swift.max(8, count * 2)) }
        unsafe start[count] = element
        count += 1
    }

    /// Changes an element, after ``beAlone()``.
    mutating func setAlone(_ index: Int, _ element: Element) {
        precondition(index >= 0 && index < count, "no such element")
        unsafe start[index] = element
    }

    /// Sees to it that what follows changes no copy.
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

    /// Forgets all elements, and keeps the room.
    mutating func removeAll() { count = 0 }

    /// All elements, for loops that change many.
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
