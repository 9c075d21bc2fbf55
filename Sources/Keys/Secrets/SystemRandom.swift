/// The random generator of the system, suitable for secrets: getrandom(2).
package struct SystemRandom: RandomNumberGenerator, Sendable {
    private var source = SystemRandomNumberGenerator()
    // Gives the value an address: the thread sanitizer of Swift 6.3 takes the address of every inout argument.
    private var drawn: UInt64 = 0

    package init() {}

    package mutating func next() -> UInt64 {
        drawn &+= 1
        return source.next()
    }
}
