/// A statement, or a part of one, with the values of its parameters: what is interpolated is bound, never pasted.
///
///     try db.run("UPDATE keys SET name = \(name) WHERE key_row = \(row)")
///
/// Another ``SQL`` that is interpolated becomes a part of the text, with its values.
struct SQL: ExpressibleByStringInterpolation, Sendable {
    let text: String
    let values: [SQLValue]

    init(stringLiteral text: String) {
        self.text = text
        values = []
    }

    init(stringInterpolation: StringInterpolation) {
        text = stringInterpolation.text
        values = stringInterpolation.values
    }

    /// A statement that is made of the names of a schema.
    ///
    /// - Parameter values: of the question marks in `text`, in their order.
    init(_ text: String, _ values: [SQLValue]) {
        self.text = text
        self.values = values
    }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""
        fileprivate var values: [SQLValue] = []

        init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount)
            values.reserveCapacity(interpolationCount)
        }

        mutating func appendLiteral(_ literal: String) { text += literal }

        mutating func appendInterpolation(_ value: some ColumnValue) {
            text += "?"
            values.append(value.sqlValue)
        }

        mutating func appendInterpolation(_ value: (some ColumnValue)?) {
            text += "?"
            values.append(value?.sqlValue ?? .null)
        }

        mutating func appendInterpolation(_ part: SQL) {
            text += part.text
            values += part.values
        }

        /// The numbers of a list, as a table for `IN`. The text does not depend on how many they are.
        mutating func appendInterpolation(list numbers: some Sequence<Int64>) {
            text += "(SELECT value FROM json_each(?))"
            values.append(.text("[\(numbers.map(String.init).joined(separator: ","))]"))
        }

        /// The words of a list, as a table for `IN`. They must not hold quotes.
        mutating func appendInterpolation<Word: RawRepresentable<String>>(list words: some Sequence<Word>) {
            text += "(SELECT value FROM json_each(?))"
            values.append(.text("[\(words.map { "\"\($0.rawValue)\"" }.joined(separator: ","))]"))
        }
    }
}
