internal import Fleet
internal import KeyStore
internal import Keys

/// What has become of a scan that a person has asked a host of a fleet for.
struct FleetScanOutcome {
    /// How far the host is.
    enum Answer: String {
        /// It is seen, and has not said that it has heard of the request.
        case asked
        /// It has heard of the request, and its scan has not ended.
        case searching
        case ended
        /// It is not seen, and hears of the request when it is back.
        case away
        /// Its configuration names no places.
        case nothing
        /// Its program is of a version that does not hear of requests, or its service has never run.
        case unable
    }

    let host: FleetHost
    let answer: Answer
    /// What its scan has come to; nil unless it has ended.
    let result: HostScanResult?

    /// The number of places that it was to search.
    private var places: Int { Int(host.scan.ended?.places ?? 0) }

    /// Whether its scan has ended, and none was needed.
    var isOver: Bool { answer == .ended || answer == .nothing }

    /// Whether all of its places were searched whole; true where it has none.
    var isWhole: Bool {
        guard let result else { return answer == .nothing }
        return result.whole >= places
    }

    var hasFindings: Bool { result.map { $0.findings + $0.unregistered > 0 } ?? false }

    // MARK: - Words

    /// One line for people.
    var words: String {
        switch answer {
        case .asked: return "\(host.name) has not begun: keyvigil fleet hosts"
        case .searching: return "\(host.name) has not searched its places to their end yet"
        case .ended: return result.map { "\(host.name): \(searched($0)): \(found($0))" } ?? host.name
        case .away:
            let seen = host.seenAt.map { "not seen since \(DateText.moment($0))" } ?? "never seen"
            return "\(host.name), \(seen), does so when it is back, if that is within a day"
        case .nothing: return "\(host.name) has no places to search: [scan] of its configuration names none"
        case .unable:
            let version = host.version.isEmpty ? "another version" : host.version
            return "\(host.name) runs \(version), and has not said that it hears of it: upgrade or start keyvigil there"
        }
    }

    private func searched(_ result: HostScanResult) -> String {
        let count = "\(places) place\(places == 1 ? "" : "s")"
        guard !isWhole else {
            guard let first = result.leftOut.first else { return "\(count) searched whole" }
            return "\(count) searched, but for what was left out (\(Self.text(first, of: result.leftOut.count)))"
        }
        let text = "\(result.whole) of \(count) searched whole"
        guard let first = result.problems.first else { return "\(text) (on that host: keyvigil status)" }
        return "\(text) (\(Self.text(first, of: result.problems.count)))"
    }

    private static func text(_ first: HostScanResult.Problem, of count: Int) -> String {
        let more = count > 1 ? ", and \(count - 1) more" : ""
        let reason = DisplayText.escaped(first.problem, limit: 400)
        return "\(DisplayText.name(first.path, limit: 1000)): \(reason)\(more)"
    }

    private func found(_ result: HostScanResult) -> String {
        let news = result.newFindings == 0 ? "" : ", \(result.newFindings) of them new"
        let findings =
            result.findings == 0
            ? "no findings" : "\(result.findings) open finding\(result.findings == 1 ? "" : "s")\(news)"
        let strays = result.unregistered
        return findings + (strays == 0 ? "" : ", \(strays) secret\(strays == 1 ? "" : "s") of no key")
    }

    // MARK: - JSON

    var line: JSONLine {
        var line = JSONLine()
        line.add("host", host.name)
        line.add("answer", answer.rawValue)
        line.add("seen_at", host.seenAt)
        guard let result else { return line }
        line.add("began_at", host.scan.ended?.beganAt)
        line.add("ended_at", host.scan.ended?.endedAt)
        line.add("places", places)
        line.add("places_searched_whole", result.whole)
        line.add("findings", result.findings)
        line.add("new_findings", result.newFindings)
        line.add("unregistered_secrets", result.unregistered)
        line.add("problems", objects: result.problems.map { Self.line($0, "problem") })
        line.add("left_out", objects: result.leftOut.map { Self.line($0, "left_out") })
        return line
    }

    private static func line(_ remark: HostScanResult.Problem, _ name: String) -> JSONLine {
        JSONLine { line in
            line.add("path", remark.path)
            line.add(name, remark.problem)
        }
    }
}
