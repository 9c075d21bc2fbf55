/// Randomness of the system, fit for secrets (getrandom(2)).
package struct SystemRandom: RandomNumberGenerator, Sendable {
    private var source = SystemRandomNumberGenerator()
    // A value that is not empty has an address, which the thread sanitizer of Swift 6.3 takes of every inout argument.
    private var drawn: UInt64 = 0

    package init() {}

    package mutating func next() -> UInt64 {
        drawn &+= 1
        return source.next()
    }
}
