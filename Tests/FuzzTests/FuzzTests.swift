import FuzzTargets
import Testing

/// A few damaged inputs for each fuzz target in every test run; `make fuzz` goes on for longer.
@Suite struct FuzzTests {
    @Test(arguments: FuzzTarget.all.map(\.name))
    func endsAndAgreesWithItself(_ name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let seeds = try target.seeds()
        #expect(!seeds.isEmpty && seeds.allSatisfy { !$0.isEmpty })
        for seed in seeds { target.run(seed) }
        var mutator = Mutator(seeds: seeds, seed: 20_260_101)
        for _ in 0..<400 { target.run(mutator.next()) }
    }

    @Test func theSameSeedMakesTheSameInputs() {
        var one = Mutator(seeds: [[1, 2, 3, 4, 5]], seed: 7)
        var two = Mutator(seeds: [[1, 2, 3, 4, 5]], seed: 7)
        var other = Mutator(seeds: [[1, 2, 3, 4, 5]], seed: 8)
        let inputs = (0..<50).map { _ in one.next() }
        #expect(inputs == (0..<50).map { _ in two.next() })
        #expect(inputs != (0..<50).map { _ in other.next() })
    }
}
