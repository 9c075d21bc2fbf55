/// Metrics in the text format of Prometheus (exposition format 0.0.4).
struct MetricsText {
    enum Kind: String {
        case gauge, counter, summary
    }

    private(set) var text = ""

    /// Begins a metric; its samples follow.
    mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// A sample of the metric that was begun last.
    mutating func add(_ name: String, _ labels: KeyValuePairs<String, String>, _ value: Double) {
        let list = labels.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
        text += name + (list.isEmpty ? "" : "{\(list)}") + " \(Self.number(value))\n"
    }

    /// A metric with one sample.
    mutating func add(_ name: String, _ kind: Kind, help: String, _ value: Double) {
        begin(name, kind, help)
        add(name, [:], value)
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    private static func number(_ value: Double) -> String {
        guard value.rounded() == value, abs(value) < 1e15 else { return "\(value)" }
        return "\(Int64(value))"
    }
}
