/// One JSON object on one line, its fields in the order in which they were added (RFC 8259).
///
/// The order is kept for people who read these lines.
package struct JSONLine {
    private var text = "{"

    package init() {}

    /// The object that `body` fills.
    package init(_ body: (inout JSONLine) -> Void) { body(&self) }

    /// An object that is written as JSON already, such as one that comes from the store.
    package init(object: String) {
        text = String(object.dropLast())
    }

    /// The finished object, without a line break.
    package var line: String { text + "}" }

    /// Adds a string, or null.
    package mutating func add(_ name: String, _ value: String?) {
        key(name)
        if let value { Self.append(value, to: &text) } else { text += "null" }
    }

    /// Adds a whole number, or null.
    package mutating func add(_ name: String, _ value: Int64?) {
        key(name)
        text += value.map(String.init) ?? "null"
    }

    /// Adds a whole number.
    package mutating func add(_ name: String, _ value: Int) {
        add(name, Int64(value))
    }

    /// Adds true or false.
    package mutating func add(_ name: String, _ value: Bool) {
        key(name)
        text += value ? "true" : "false"
    }

    /// Adds a list of strings, or null.
    package mutating func add(_ name: String, _ values: [String]?) {
        key(name)
        guard let values else {
            text += "null"
            return
        }
        text += "["
        for (index, value) in values.enumerated() {
            if index > 0 { text += "," }
            Self.append(value, to: &text)
        }
        text += "]"
    }

    /// Adds an object that is already encoded.
    package mutating func add(_ name: String, object: JSONLine) {
        key(name)
        text += object.line
    }

    /// Adds a list of objects that are already encoded.
    package mutating func add(_ name: String, objects: [JSONLine]) {
        key(name)
        text += "[" + objects.map(\.line).joined(separator: ",") + "]"
    }

    private mutating func key(_ name: String) {
        if text.utf8.count > 1 { text += "," }
        Self.append(name, to: &text)
        text += ":"
    }

    private static func append(_ value: String, to text: inout String) {
        text += "\""
        if value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            text += value
            text += "\""
            return
        }
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            // On a terminal too it moves and hides nothing.
            case _ where DisplayText.isHazardous(scalar):
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
