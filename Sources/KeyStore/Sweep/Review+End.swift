internal import Keys

extension Review {
    /// Ends the review: every due date is by its policy now, and one alert says what was taken back.
    ///
    /// - Parameter present: what lies ahead of it was recorded by a clock that was ahead.
    func end(_ db: Connection, at now: Instant, present: Instant) throws {
        try db.run("DELETE FROM review")
        try db.run("UPDATE store SET policy = \(policy)")
        guard let clockAhead else { return }
        try RecordedTimes.correctOthers(step: clockStep, db, at: present)
        try OutboxTable.add(Alert(clockSetBackFrom: clockAhead, step: clockStep, to: now, takenBack), db, at: now)
    }

}

extension Alert {
    /// The one alert for a clock that was set back.
    init(clockSetBackFrom ahead: Instant, step: Int64?, to now: Instant, _ taken: Review.TakenBack) {
        func count(_ number: Int, _ one: String, _ many: String) -> String? {
            number == 0 ? nil : "\(number) \(number == 1 ? one : many)"
        }
        let parts = [
            count(taken.expiries, "expiry", "expiries"), count(taken.overlaps, "end of an overlap", "ends of overlaps"),
            count(taken.notices, "notice", "notices"),
            count(taken.times, "time that lay ahead", "times that lay ahead"),
            count(taken.reopened, "leak is open again", "leaks are open again"),
        ].compactMap(\.self)
        let names = taken.named.split(separator: "\n").joined(separator: ", ")
        // In whole seconds: the clocks were not read at the same moment.
        let by = step.map { $0 > 500 ? " by \(Period(milliseconds: ($0 + 500) / 1000 * 1000))" : "" } ?? ""
        let what =
            parts.isEmpty
            ? "nothing was recorded by it that had to be taken back"
            : "what it had recorded is taken back: \(parts.joined(separator: ", ")), of \(names)"
        var fields: [Field: String] = [.reason: "it had shown \(ahead) or later"]
        if !parts.isEmpty { fields[.remedy] = "keyvigil audit --action record.taken_back" }
        self.init(
            kind: .clockChanged, priority: parts.isEmpty ? .notice : .warning,
            message: "the clock was set back\(words: by): it is \(now) now; \(words: what)", fields: fields)
    }
}
