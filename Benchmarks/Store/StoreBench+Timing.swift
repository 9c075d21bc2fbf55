import Foundation
import KeyStore
import Keys

extension StoreBench {
    /// Whether the time of a verification tells a secret that does not exist from one that is dead: 100,000 measurements
    /// of each, in turn, compared with Welch's t-test (the method of dudect, https://eprint.iacr.org/2016/1123). A
    /// difference that is real shows as |t| above 4.5.
    func timing() throws {
        let revoked = 1
        let retired = 2
        _ = try store.revoke("key \(revoked)", reason: nil, at: start, by: actor)
        _ = try store.delete("key \(retired)", at: start, by: actor)
        var wrong = secret(revoked).withBytes { bytes in bytes.indices.map { bytes[$0] } }
        wrong[wrong.count - 1] ^= 1
        let unknown = Array("bench_unknown_but_just_as_long_as_the_others_xyz1".utf8)
        let classes: [(name: String, bytes: [UInt8])] = [
            ("revoked", secret(revoked).withBytes { bytes in bytes.indices.map { bytes[$0] } }),
            ("deleted", secret(retired).withBytes { bytes in bytes.indices.map { bytes[$0] } }),
            ("wrong", wrong), ("unknown", unknown),
        ]
        var times = classes.map { _ in [Double]() }
        let clock = ContinuousClock()
        // As every edge of the product does: the library and the tool.
        for round in 0..<101_000 {
            // In an order that does not repeat, so that none always comes after the same one.
            for index in classes.indices.shuffled() {
                let bytes = classes[index].bytes
                let secret = Secret(copying: bytes.span)
                let asked = clock.now
                let result = try AnswerPace.realTime.run {
                    try store.verify(secret, for: AccessRequest(permission: "read"), at: start)
                }
                let time = clock.now - asked
                if result.code == .valid { fatal("timing") }
                if round >= 1_000 { times[index].append(Double(time.components.attoseconds) / 1e9) }
            }
        }
        // The slowest twentieth is the machine's noise: interrupts and other programs.
        let kept = times.map { Array($0.sorted().prefix($0.count * 19 / 20)) }
        for (index, entry) in classes.enumerated() where index > 0 {
            print(
                "timing            \(entry.name) \(text(mean(kept[index]))) ns, \(classes[0].name) \(text(mean(kept[0]))) ns, "
                    + "t = \(text(welch(kept[index], kept[0]))) (beyond ±4.5 they differ)")
        }
    }

    private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    private func welch(_ first: [Double], _ second: [Double]) -> Double {
        func variance(_ values: [Double]) -> Double {
            let middle = mean(values)
            return values.reduce(0) { $0 + ($1 - middle) * ($1 - middle) } / Double(values.count - 1)
        }
        let error = (variance(first) / Double(first.count) + variance(second) / Double(second.count)).squareRoot()
        return error > 0 ? (mean(first) - mean(second)) / error : 0
    }
}
