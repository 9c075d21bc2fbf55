import Foundation
import KeyVerification
import Keys

/// One process that verifies, until its standard input ends.
struct Caller {
    static let verb = "call"

    private let store: String
    private let pepper: String
    private let population: Population
    private let first: Int

    init(store: String, pepper: String, _ population: Population, first: Int) {
        (self.store, self.pepper, self.population, self.first) = (store, pepper, population, first)
    }

    /// What ``init(_:)`` reads.
    var arguments: [String] {
        [Self.verb, store, pepper, "\(population.expiring)", "\(population.expiry.milliseconds)", "\(first)"]
    }

    init(_ arguments: [String]) throws {
        guard arguments.count == 5, let expiring = Int(arguments[2]), let expiry = Int64(arguments[3]),
            let first = Int(arguments[4])
        else { throw InputError("\(Self.verb) is for the benchmark itself") }
        self.init(
            store: arguments[0], pepper: arguments[1],
            Population(expiring: expiring, expiry: Instant(milliseconds: expiry)), first: first)
    }

    /// Prints how many answers there were, how many were wrong, how many errors, and the times in milliseconds: the 99th
    /// percentile and the longest.
    func run() throws {
        let verifier = try KeyVerifier(store: store, pepper: pepper)
        var (wrong, errors) = (0, 0)
        var times: [Double] = []
        let clock = ContinuousClock()
        var number = first
        while !isOver {
            number = (number + 7_919) % population.count
            let asked = Population.now
            let start = clock.now
            do {
                let code = try verifier.verify(authorization: population.secret(number)).code
                times.append((clock.now - start) / .milliseconds(1))
                if !population.isRight(code, of: number, asked: asked, answered: Population.now) {
                    wrong += 1
                    print("wrong: \(code) for \(population.kind(number)) key \(number)")
                }
            } catch {
                errors += 1
                print("error: \(error)")
            }
        }
        verifier.flush()
        times.sort()
        print("done \(times.count) \(wrong) \(errors) \(times[times.count * 99 / 100]) \(times.last ?? 0)")
    }

    private var isOver: Bool {
        var input = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&input, 1, 0) != 0
    }
}
