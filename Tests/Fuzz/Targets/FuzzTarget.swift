/// Something that reads foreign bytes, to be fed with damaged ones. It must end, must not crash, and must not contradict
/// itself: then it calls ``FuzzFailure/stop(_:)``.
package struct FuzzTarget: Sendable {
    package let name: String
    /// Good inputs to start from, made when they are asked for, not committed.
    package let seeds: @Sendable () throws -> [[UInt8]]
    package let run: @Sendable ([UInt8]) -> Void

    package init(
        _ name: String, seeds: @escaping @Sendable () throws -> [[UInt8]], run: @escaping @Sendable ([UInt8]) -> Void
    ) {
        self.name = name
        self.seeds = seeds
        self.run = run
    }

    /// All of them. Another module's belong in a list of its own, which is added here.
    package static let all: [FuzzTarget] =
        InputTargets.all + TOMLTarget.all + SettingsTarget.all + ChangeSetTarget.all + LeakScanTargets.all
}

/// What a target found wrong with an answer, as opposed to a crash.
package enum FuzzFailure {
    /// Ends the process, so that the input is kept by whoever runs the target.
    package static func stop(_ what: String) -> Never { fatalError(what) }
}
