internal import Keys

/// Where a file holds a value that a secret is to take the place of, and how values are written there.
struct ValuePlace: Equatable {
    /// How a value is written.
    enum Style: Equatable {
        /// As it is, whatever is around it.
        case verbatim
        /// Without quotes.
        case bare
        case singleQuoted
        case doubleQuoted
        /// In double quotes with the escapes of JSON.
        case json
        /// Without quotes in a YAML file, where many values need them.
        case yaml
        /// In single quotes in a YAML file.
        case yamlQuoted
    }

    /// Without quotes.
    let range: Range<Int>
    let style: Style

    /// The maximum length of a secret as it is written, in bytes.
    static func longest(_ secret: borrowing Secret) -> Int { 2 * secret.count + 2 }

    /// Appends the secret as it is written here.
    ///
    /// - Throws: ``InputError`` for a secret that cannot be written so.
    func write(_ secret: borrowing Secret, to text: inout Secret) throws(InputError) {
        try secret.withBytes { (bytes) throws(InputError) in
            let needsQuotes = style == .yaml && !Self.all(of: bytes, satisfy: Self.isPlain)
            if needsQuotes { text.append(UInt8(ascii: "\"")) }
            for index in bytes.indices {
                guard let escape = escape(bytes[index], inQuotes: needsQuotes) else {
                    throw InputError(
                        "the secret has a character that cannot be written there without a change of the quotes",
                        hint: "put the value into other quotes in the file")
                }
                if escape { text.append(style == .yamlQuoted ? UInt8(ascii: "'") : UInt8(ascii: "\\")) }
                text.append(bytes[index])
            }
            if needsQuotes { text.append(UInt8(ascii: "\"")) }
        }
    }

    /// Whether a byte needs an escape; nil where it cannot be written.
    private func escape(_ byte: UInt8, inQuotes: Bool) -> Bool? {
        guard byte > 0x20, byte < 0x7f else { return style == .verbatim ? false : nil }
        switch style {
        case .verbatim: return false
        case .bare: return Self.isPlain(byte) ? false : nil
        case .singleQuoted: return byte == UInt8(ascii: "'") ? nil : false
        case .doubleQuoted: return Array("\"\\$`".utf8).contains(byte) ? nil : false
        case .yaml where !inQuotes: return false
        case .json, .yaml: return byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
        case .yamlQuoted: return byte == UInt8(ascii: "'")
        }
    }

    private static func all(of bytes: borrowing Span<UInt8>, satisfy isFine: (UInt8) -> Bool) -> Bool {
        var at = 0
        // A value in YAML must not begin with a sign, nor look like a number.
        guard bytes.count > 0, isLetter(bytes[0]) else { return false }
        while at < bytes.count, isFine(bytes[at]) { at += 1 }
        return at == bytes.count
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte | 0x20) }

    /// Whether a byte means itself in a value without quotes, in shells, environment files and YAML.
    static func isPlain(_ byte: UInt8) -> Bool {
        isLetter(byte) || (0x30...0x39).contains(byte) || Array("_-./+=@%,".utf8).contains(byte)
    }
}
