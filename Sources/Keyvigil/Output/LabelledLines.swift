/// Labels and values, a line each, with the values below each other.
enum LabelledLines {
    static func text(_ rows: [(label: String, value: String)]) -> String {
        rows.map { label, value in
            "  " + label + String(repeating: " ", count: max(1, width - label.count)) + value
        }.joined(separator: "\n")
    }

    /// Of the column of labels.
    private static let width = 13
}
