package import Keys

/// Profiles of issuers as files. `config/issuers/keyvigil.toml` explains every setting.
extension IssuerProfile {
    /// Reads a profile.
    ///
    /// - Parameters:
    ///   - file: where the text comes from; its name without `.toml` must be the issuer's.
    ///   - ownBrand: the brand of this store's own format, for a profile that uses that.
    /// - Throws: ``InputError`` with file, line and reason.
    package init(parsing text: String, file: String, ownBrand: String) throws(InputError) {
        let root = try SettingsTable(parsing: text, file: file)
        let stem = file.split(separator: "/").last.map { $0.dropLast(".toml".count) } ?? ""
        let name = try root.string("name") { (name) throws(InputError) in
            guard name == stem else {
                throw InputError(
                    "the profile is named '\(DisplayText.escaped(name, limit: 64))'",
                    hint: "name it as its file: \(stem)")
            }
            return name
        }
        guard let name else { throw InputError("\(file):1: 'name' is missing", hint: "add name = \"\(stem)\"") }
        let title = try root.string("title") { (title) throws(InputError) in try NameRules.checked(title, what: "title")
        }
        var shape = SecretShape.own(brand: ownBrand)
        var form: AuthorizationForm?
        try root.table("secret") { (table) throws(InputError) in
            form = try table.string("authorization") { (word) throws(InputError) in
                try InputError.word(word, "form of Authorization", AuthorizationForm.self)
            }
            if let described = try SecretShape(table, signIn: form == .signIn) { shape = described }
        }
        self.init(name: name, title: title ?? name, shape: shape, authorization: form ?? .bearer)
        try root.table("permissions") { (table) throws(InputError) in
            let words = try table.strings("words") { (word) throws(InputError) in try PermissionSet.checked(word) }
            if let words { vocabulary = words.isEmpty ? .none : .closed(words) }
        }
        try root.table("keys") { (table) throws(InputError) in
            isEditable = try table.boolean("editable") ?? true
            if let list = try table.strings("environments", check: Keys.Environment.init(parsing:)), !list.isEmpty {
                environments = list
            }
            fixedRole = try table.string("role") { (role) throws(InputError) in
                try NameRules.checked(role, what: "role")
            }
            defaultExpiry = try table.string("default_expiry", check: ExpiryRequest.init(parsing:))
            longestLifetime = try table.period("longest_lifetime", atLeast: .seconds(1))
            rotateEvery = try table.period("rotate_every", atLeast: .seconds(1))
        }
        try root.table("steps") { (table) throws(InputError) in
            rotateSteps = try table.string("rotate") { (text) throws(InputError) in
                try NameRules.checked(text, what: "step")
            }
            revokeSteps = try table.string("revoke") { (text) throws(InputError) in
                try NameRules.checked(text, what: "step")
            }
        }
        try root.refuseUnknown()
    }
}

extension SecretShape {
    /// The shape that a table describes, or nil for one that describes none.
    fileprivate init?(_ table: SettingsTable, signIn: Bool) throws(InputError) {
        let brand = try table.string("brand") { (text) throws(InputError) in
            guard text.utf8.count <= 40, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
                throw InputError("a brand has at most 40 visible ASCII characters", hint: "such as blnk_")
            }
            return text
        }
        let alphabet = try table.string("alphabet", check: Self.alphabet)
        let length = try table.integer("length", in: 16...1024)
        let visible = try table.integer("visible", in: 0...64)
        let checksum = try table.string("checksum") { (word) throws(InputError) in
            try InputError.word(word, "checksum", ChecksumKind.self)
        }
        // A setting that is misspelt would else be told as one that is missing.
        try table.refuseUnknown()
        guard let length else {
            if brand == nil, alphabet == nil, visible == nil, checksum == nil, !signIn { return nil }
            throw table.missing("length", hint: "say how many random characters follow the brand or the sign-in")
        }
        let letters = alphabet ?? Base62.alphabet
        if signIn {
            self = .signIn(alphabet: letters, length: length)
            return
        }
        let shown = visible ?? 8
        guard shown <= length / 2 else {
            throw table.missing("visible", hint: "at most half of the random characters may be visible: \(length / 2)")
        }
        self = .branded(
            BrandedShape(
                brand: brand ?? "", alphabet: letters, length: length, visible: shown, hasChecksum: checksum == .crc32))
    }

    private enum ChecksumKind: String, CaseIterable {
        case none, crc32
    }

    /// The name of an alphabet, or its characters themselves.
    private static func alphabet(_ text: String) throws(InputError) -> [UInt8] {
        switch text {
        case "base62": return Base62.alphabet
        case "base64url": return Base62.alphabet + Array("-_".utf8)
        case "hex": return Array("0123456789abcdef".utf8)
        case "digits": return Array("0123456789".utf8)
        case "lowercase": return Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
        default:
            let bytes = Array(text.utf8)
            guard bytes.count >= 10, Set(bytes).count == bytes.count, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
            else {
                throw InputError(
                    "'\(DisplayText.escaped(text, limit: 64))' is not an alphabet",
                    hint:
                        "use base62, base64url, hex, digits, lowercase, or at least 10 visible ASCII characters, each once"
                )
            }
            return bytes
        }
    }
}

extension InputError {
    /// A word of a closed list; the error names the nearest.
    static func word<Word: RawRepresentable & CaseIterable>(
        _ text: String, _ what: String, _ type: Word.Type
    ) throws(InputError) -> Word where Word.RawValue == String {
        if let value = Word(rawValue: text) { return value }
        let words = Word.allCases.map(\.rawValue)
        throw InputError(
            "'\(DisplayText.escaped(text, limit: 64))' is not a \(what)",
            hint: DisplayText.nearest(to: text, among: words).map { "did you mean \($0)?" }
                ?? "use one of \(words.joined(separator: ", "))")
    }
}
