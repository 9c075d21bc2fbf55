internal import KeyStore
internal import Keys

/// How many incidents there were, how long they went undetected, and how long they stayed open.
struct IncidentTimes {
    private(set) var count = 0
    private(set) var open = 0
    private(set) var detect = Percentiles()
    private(set) var resolve = Percentiles()

    mutating func add(_ incident: Incident) {
        count += 1
        if incident.isOpen { open += 1 }
        if let period = incident.timeToDetect { detect.add(period) }
        if let period = incident.timeToResolve { resolve.add(period) }
    }

    var sentence: String { "\(count) incident\(count == 1 ? "" : "s"), \(open) open" }

    func addFields(to line: inout JSONLine) {
        line.add("incidents", count)
        line.add("open", open)
        line.add("to_detect", object: Self.json(detect))
        line.add("to_resolve", object: Self.json(resolve))
    }

    private static func json(_ times: Percentiles) -> JSONLine {
        var line = JSONLine()
        line.add("count", times.count)
        for (name, percent) in [("median_seconds", 50), ("p90_seconds", 90), ("longest_seconds", 100)] {
            line.add(name, times[percent].map { $0.milliseconds / 1000 })
        }
        return line
    }

    static let columns = ["", "COUNT", "MEDIAN", "P90", "LONGEST"]

    var rows: [[String]] {
        [("to detect", detect), ("to resolve", resolve)].map { name, times in
            [name, String(times.count)] + [50, 90, 100].map { times[$0].map(IncidentPresentation.rounded) ?? "-" }
        }
    }

    /// The longest time to detect, and to resolve, in seconds.
    var longest: (detect: Int64?, resolve: Int64?) {
        (detect[100].map { $0.milliseconds / 1000 }, resolve[100].map { $0.milliseconds / 1000 })
    }
}
