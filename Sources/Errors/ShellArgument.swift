/// Values in the commands that messages show: what is copied into a shell must mean what it says there.
package enum ShellArgument {
    /// The text as one argument. Escapes of control characters are those of bash (`$'\x1b'`), where everything else is taken as
    /// it is.
    package static func quoted(_ bytes: some Sequence<UInt8>) -> String {
        let bytes = Array(bytes)
        guard !bytes.isEmpty else { return "''" }
        if bytes.allSatisfy(isPlain), bytes[0] != UInt8(ascii: "-") { return String(decoding: bytes, as: UTF8.self) }
        if let text = String(validating: bytes, as: UTF8.self), !text.unicodeScalars.contains(where: \.isHazardous) {
            return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
        }
        var result = "$'"
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "'"), UInt8(ascii: "\\"): result += "\\" + String(UnicodeScalar(byte))
            case 0x20...0x7e: result.unicodeScalars.append(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16)
                result += "\\x" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return result + "'"
    }

    /// Whether a byte means itself in every shell. An exclamation mark does not in one that a person types into.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "._/@+=%-:,".utf8.contains(byte)
        }
    }
}

extension Unicode.Scalar {
    /// Whether a scalar is invisible or changes how the text around it is shown.
    package var isHazardous: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: true
        // Variation selectors, fillers and joiners.
        default: properties.isDefaultIgnorableCodePoint
        }
    }
}

// A command in a message has nothing else in it but ids, numbers and constants: Tests/Layering/commands.py.
extension DefaultStringInterpolation {
    /// A value in a command, such as a path: `"chmod go-w \(argument: path)"`.
    package mutating func appendInterpolation(argument text: String) {
        appendLiteral(ShellArgument.quoted(text.utf8))
    }

    /// Several values in a command.
    package mutating func appendInterpolation(arguments texts: [String]) {
        appendLiteral(texts.map { ShellArgument.quoted($0.utf8) }.joined(separator: " "))
    }

    /// Words of the program within a command, in which values have their quotes already.
    package mutating func appendInterpolation(command words: String) { appendLiteral(words) }
}
