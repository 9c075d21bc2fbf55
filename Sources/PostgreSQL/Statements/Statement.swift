/// A statement with the values of its parameters: what is interpolated is bound, never pasted.
///
///     try connection.run(["UPDATE keys SET name = \(name) WHERE key_row = \(row)"], before: deadline)
package struct Statement: ExpressibleByStringInterpolation, Sendable {
    package let text: String
    let types: [UInt32]
    let values: [[UInt8]?]

    package init(stringLiteral text: String) {
        self.text = text
        types = []
        values = []
    }

    package init(stringInterpolation: StringInterpolation) {
        text = stringInterpolation.text
        types = stringInterpolation.types
        values = stringInterpolation.values
    }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""
        fileprivate var types: [UInt32] = []
        fileprivate var values: [[UInt8]?] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + 3 * interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) { text += literal }

        package mutating func appendInterpolation<Bound: Parameter>(_ value: Bound) {
            appendInterpolation(Bound?.some(value))
        }

        package mutating func appendInterpolation<Bound: Parameter>(_ value: Bound?) {
            types.append(Bound.type)
            values.append(value?.encoded)
            text += "$\(values.count)"
        }

        package mutating func appendInterpolation(_ list: consuming EncodedList) {
            types.append(list.type)
            values.append(list.finish())
            text += "$\(values.count)"
        }
    }
}
