/// A value and where it begins.
package struct TOMLValue: Sendable, Equatable {
    package let content: Content
    /// The first byte of the value. Of a table under a header: the header's name.
    package let position: TOMLPosition

    /// The types of TOML.
    package enum Content: Sendable, Equatable {
        case string(String)
        case integer(Int64)
        case float(Double)
        case boolean(Bool)
        case dateTime(TOMLDateTime)
        case array([TOMLValue])
        case table(TOMLTable)
    }

    package init(_ content: Content, at position: TOMLPosition) {
        self.content = content
        self.position = position
    }

    /// The text, if this is a string.
    package var string: String? { if case .string(let text) = content { text } else { nil } }

    /// The number, if this is an integer.
    package var integer: Int64? { if case .integer(let number) = content { number } else { nil } }

    /// The number, if this is a float.
    package var float: Double? { if case .float(let number) = content { number } else { nil } }

    /// The truth value, if this is one.
    package var boolean: Bool? { if case .boolean(let flag) = content { flag } else { nil } }

    /// The date or time, if this is one.
    package var dateTime: TOMLDateTime? { if case .dateTime(let value) = content { value } else { nil } }

    /// The elements, if this is an array. An array of tables (`[[name]]`) is one.
    package var array: [TOMLValue]? { if case .array(let elements) = content { elements } else { nil } }

    /// The table, if this is one.
    package var table: TOMLTable? { if case .table(let table) = content { table } else { nil } }
}
