internal import Keys

extension SecretShape {
    /// The shape that a table describes, or nil for one that describes none.
    init?(_ table: SettingsTable, signIn: Bool) throws(InputError) {
        let settings = try ShapeSettings(table)
        var shapes: [BrandedShape] = []
        try table.tables("shapes") { (inner) throws(InputError) in
            let settings = try ShapeSettings(inner)
            try inner.refuseUnknown()
            shapes.append(try settings.branded(inner))
        }
        // A setting that is misspelt would else be reported as one that is missing.
        try table.refuseUnknown()
        if !shapes.isEmpty {
            guard settings.areEmpty, !signIn else {
                throw table.missing(
                    "shapes",
                    hint: "describe each shape of the secrets under [[secret.shapes]], and a sign-in without it")
            }
            self = .branded(shapes)
        } else if signIn {
            guard settings.brands == nil, settings.visible == nil, settings.checksum == nil,
                settings.longest == nil
            else {
                throw table.missing(
                    "authorization", hint: "a secret after a sign-in has only 'alphabet' and 'length'")
            }
            self = .signIn(alphabet: settings.alphabet ?? Base62.alphabet, length: try settings.requiredLength(table))
        } else if settings.areEmpty {
            return nil
        } else {
            self = .branded([try settings.branded(table)])
        }
    }
}

/// The settings that describe one shape of secrets.
private struct ShapeSettings {
    let brands: [String]?
    let alphabet: [UInt8]?
    let length: Int?
    let longest: Int?
    let visible: Int?
    let checksum: BrandedShape.Checksum?

    /// Whether nothing is set.
    var areEmpty: Bool {
        brands == nil && alphabet == nil && length == nil && longest == nil && visible == nil && checksum == nil
    }

    init(_ table: SettingsTable) throws(InputError) {
        brands = try table.oneOrMore("brand") { (text) throws(InputError) in
            guard text.utf8.count <= 40, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
                throw InputError("a brand has at most 40 visible ASCII characters", hint: "such as blnk_")
            }
            return text
        }
        alphabet = try table.oneOrMore("alphabet", check: Self.characters)?.reduce(into: []) { all, some in
            all += some.filter { !all.contains($0) }
        }
        length = try table.integer("length", in: 16...1024)
        longest = try table.integer("longest", in: 16...1024)
        visible = try table.integer("visible", in: 0...64)
        checksum = try table.string("checksum") { (word) throws(InputError) in
            try InputError.word(word, "checksum", BrandedShape.Checksum.self)
        }
        if let alphabet, alphabet.count < 10 {
            throw table.missing("alphabet", hint: "at least 10 different characters make a secret")
        }
    }

    func requiredLength(_ table: SettingsTable) throws(InputError) -> Int {
        guard let length else {
            throw table.missing("length", hint: "say how many random characters follow the brand or the sign-in")
        }
        return length
    }

    func branded(_ table: SettingsTable) throws(InputError) -> BrandedShape {
        let length = try requiredLength(table)
        guard longest ?? length >= length else {
            throw table.missing("longest", hint: "give a number of at least 'length', \(length)")
        }
        let shown = visible ?? 8
        guard shown <= length / 2 else {
            throw table.missing("visible", hint: "at most half of the random characters may be visible: \(length / 2)")
        }
        return BrandedShape(
            brands: brands ?? [""], alphabet: alphabet ?? Base62.alphabet, lengths: length...(longest ?? length),
            visible: shown, checksum: checksum ?? BrandedShape.Checksum.none)
    }

    private static let alphabets: [(name: String, characters: [UInt8])] = [
        ("base62", Base62.alphabet), ("base64url", Base62.alphabet + Array("-_".utf8)),
        ("hex", Array("0123456789abcdef".utf8)), ("digits", Array("0123456789".utf8)),
        ("lowercase", Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)),
    ]

    /// The characters of a named alphabet, or the characters themselves.
    private static func characters(_ text: String) throws(InputError) -> [UInt8] {
        if let named = alphabets.first(where: { $0.name == text }) { return named.characters }
        let bytes = Array(text.utf8)
        let names = alphabets.map(\.name)
        let suggestion = DisplayText.suggestion(for: text, among: names)
        guard suggestion == nil, Set(bytes).count == bytes.count, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw InputError(
                "\(DisplayText.quoted(text, limit: 64)) is not an alphabet",
                hint: suggestion
                    ?? "use \(names.joined(separator: ", ")), or visible ASCII characters, each once")
        }
        return bytes
    }
}
