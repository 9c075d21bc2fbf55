internal import Keys

/// Where a file holds a value that a secret is to take the place of, and how values are written there.
struct ValuePlace: Equatable {
    /// How a value is written.
    enum Style: Equatable {
        /// As it is, whatever is around it: what letters and digits mean there, and these signs of the secret before, is known.
        case verbatim(signs: Set<UInt8>)
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

    /// A text with a secret at places.
    ///
    /// - Parameter places: ascending.
    /// - Throws: ``InputError`` for a secret that cannot be written so.
    static func text(
        of text: borrowing Secret, with secret: borrowing Secret, at places: [ValuePlace]
    ) throws(InputError) -> Secret {
        var new = Secret(capacity: text.count + places.count * longest(secret))
        var at = 0
        for place in places {
            new.append(text, at..<place.range.lowerBound)
            try place.write(secret, to: &new)
            at = place.range.upperBound
        }
        new.append(text, at..<text.count)
        return new
    }

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
                guard let escape = escape(bytes[index], inQuotes: needsQuotes) else { throw refusal }
                if escape { text.append(style == .yamlQuoted ? UInt8(ascii: "'") : UInt8(ascii: "\\")) }
                text.append(bytes[index])
            }
            if needsQuotes { text.append(UInt8(ascii: "\"")) }
        }
    }

    private var refusal: InputError {
        if case .verbatim = style {
            return InputError(
                "the secret has a character that the old one has not, and what it means there is not known",
                hint: "name the field, as in --to /etc/shop/env#API_KEY, or change the file by hand")
        }
        return InputError(
            "the secret has a character that cannot be written there without a change of the quotes",
            hint: "put the value into other quotes in the file")
    }

    /// Whether a byte needs an escape; nil where it cannot be written.
    private func escape(_ byte: UInt8, inQuotes: Bool) -> Bool? {
        if case .verbatim(let signs) = style { return Self.isNeutral(byte) || signs.contains(byte) ? false : nil }
        guard byte > 0x20, byte < 0x7f else { return nil }
        switch style {
        case .bare: return Self.isPlain(byte) || byte == UInt8(ascii: ":") ? false : nil
        case .singleQuoted: return byte == UInt8(ascii: "'") ? nil : false
        case .doubleQuoted: return Array("\"\\$`".utf8).contains(byte) ? nil : false
        case .yaml where !inQuotes: return false
        case .json, .yaml: return byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
        case .yamlQuoted: return byte == UInt8(ascii: "'")
        case .verbatim: return nil
        }
    }

    /// The place of a secret in any text.
    static func verbatim(_ range: Range<Int>, in text: borrowing Span<UInt8>) -> ValuePlace {
        // A quote or an escape that is there may have a meaning with what is behind it.
        var signs: Set<UInt8> = []
        for at in range where !isNeutral(text[at]) && !Array("\"'\\$`#".utf8).contains(text[at]) {
            signs.insert(text[at])
        }
        return ValuePlace(range: range, style: .verbatim(signs: signs))
    }

    /// Whether a byte means itself in every text in which a secret may be.
    private static func isNeutral(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || Array("_-.".utf8).contains(byte)
    }

    private static func all(of bytes: borrowing Span<UInt8>, satisfy isFine: (UInt8) -> Bool) -> Bool {
        var at = 0
        // A value in YAML must not begin with a sign, nor look like a number.
        guard bytes.count > longestWord, isLetter(bytes[0]) else { return false }
        while at < bytes.count, isFine(bytes[at]) { at += 1 }
        return at == bytes.count
    }

    /// The length of the longest word that is no text in YAML: `false`.
    private static let longestWord = 5

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte | 0x20) }

    /// Whether a byte means itself in a value without quotes, in shells, environment files and YAML.
    private static func isPlain(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || Array("_-./+=@%,".utf8).contains(byte)
    }
}

extension Secret {
    fileprivate mutating func append(_ text: borrowing Secret, _ range: Range<Int>) {
        text.withBytes { bytes in for index in range { append(bytes[index]) } }
    }
}
