internal import Glibc

/// The pause between looks at something that another host does: each is twice as long as the one before.
struct GrowingPause {
    /// In microseconds.
    private var next: UInt32
    private let longest: UInt32

    /// - Parameters:
    ///   - first: in milliseconds, and so is `longest`.
    init(first: UInt32, longest: UInt32) {
        next = first * 1_000
        self.longest = longest * 1_000
    }

    mutating func wait() {
        usleep(next)
        next = min(2 * next, longest)
    }
}
