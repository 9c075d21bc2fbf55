internal import Keys

/// Profiles of issuers as files. `config/issuers/keyvigil.toml` explains every setting.
extension IssuerProfile {
    /// Reads a profile.
    ///
    /// - Parameters:
    ///   - file: where the text comes from; its name without `.toml` must be the issuer's.
    ///   - ownBrand: the brand of this store's own format, for a profile that uses that.
    /// - Throws: ``InputError`` with file, line and reason.
    init(parsing text: [UInt8], file: String, ownBrand: String) throws(InputError) {
        let root = try SettingsTable(parsing: text, file: file)
        let stem = file.split(separator: "/").last.map { $0.dropLast(".toml".count) } ?? ""
        let name = try root.string("name") { (name) throws(InputError) in
            guard name == stem else {
                throw InputError(
                    "the profile is named \(DisplayText.quoted(name, limit: 64))",
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
            if let list = try table.strings("environments", check: KeyEnvironment.init(parsing:)), !list.isEmpty {
                environments = list
            }
            fixedRole = try table.string("role") { (role) throws(InputError) in
                try NameRules.checked(role, what: "role")
            }
            defaultExpiry = try table.string("default_expiry", check: ExpiryRequest.init(parsing:))
            longestLifetime = try table.period("longest_lifetime", atLeast: .seconds(1))
            longestOverlap = try table.period("overlap")
            rotateEvery = try table.period("rotate_every", atLeast: .seconds(1))
        }
        try root.table("steps") { (table) throws(InputError) in
            rotateSteps = try table.steps("rotate")
            revokeSteps = try table.steps("revoke")
        }
        try root.table("check") { (table) throws(InputError) in check = try IssuerCheck(table, of: shape) }
        try root.table("consents") { (table) throws(InputError) in
            consents = ConsentRules(
                scopes: try table.strings("scopes", check: PermissionSet.checked) ?? [],
                revokeSteps: try table.steps("revoke"), renewSteps: try table.steps("renew"))
        }
        try root.table("endpoints") { (table) throws(InputError) in
            func list(_ name: String) throws(InputError) -> [String] {
                try table.strings(name) { (text) throws(InputError) in try NameRules.checked(text, what: "endpoint") }
                    ?? []
            }
            endpoints = EndpointAccess(
                apiKey: try list("api_key"), oauth: try list("oauth"),
                source: try table.string("source") { (text) throws(InputError) in
                    try NameRules.checked(text, what: "source")
                })
        }
        try root.refuseUnknown()
    }
}

extension SettingsTable {
    /// What a person does at the issuer.
    fileprivate func steps(_ name: String) throws(InputError) -> String? {
        try string(name) { (text) throws(InputError) in try NameRules.checked(text, what: "step") }
    }
}

extension IssuerCheck {
    /// The check that a table describes.
    ///
    /// - Parameter shape: of the issuer's secrets.
    fileprivate init(_ table: SettingsTable, of shape: SecretShape) throws(InputError) {
        var addresses: [KeyEnvironment: String] = [:]
        for (environment, name) in [(KeyEnvironment.live, "url"), (.test, "test_url"), (.sandbox, "sandbox_url")] {
            addresses[environment] = try table.string(name, check: Self.address)
        }
        let method = try table.string("method") { (text) throws(InputError) in
            try InputError.word(text, "method that changes nothing", Method.self)
        }
        let header = try table.string("header", check: Self.fieldName)
        let accepted = try table.integers("accepted", in: 200...599)
        let refused = try table.integers("refused", in: 400...499)
        let unchecked = try table.strings("unchecked_brands") { (text) throws(InputError) in
            guard shape.brands.contains(text) else {
                throw InputError(
                    "\(DisplayText.quoted(text, limit: 64)) is no brand of this issuer",
                    hint: DisplayText.suggestion(for: text, among: shape.brands)
                        ?? "give brands of the table [secret] whose secrets the address does not answer")
            }
            return text
        }
        let timeout = try table.period("timeout", atLeast: .seconds(1))
        try table.refuseUnknown()
        guard !addresses.isEmpty else {
            throw table.missing("url", hint: "give the https address that answers whether a secret is accepted")
        }
        let both = Set(accepted ?? [200]).intersection(refused ?? [401])
        guard both.isEmpty, accepted?.isEmpty != true, refused?.isEmpty != true else {
            throw table.missing(
                "accepted", hint: "give at least one status to 'accepted' and one to 'refused', and none to both")
        }
        if let timeout, timeout > .seconds(120) {
            throw table.missing("timeout", hint: "a person waits for the answer: give 120s at the most")
        }
        self.init(
            method: method?.rawValue ?? "GET", addresses: addresses, header: header, accepted: accepted ?? [200],
            refused: refused ?? [401], uncheckedBrands: unchecked ?? [], timeout: timeout ?? .seconds(10))
    }

    private enum Method: String, CaseIterable {
        case get = "GET"
        case head = "HEAD"
    }

    /// Without TLS the secret would be readable on its way, so there is no other scheme.
    private static func address(_ text: String) throws(InputError) -> String {
        let rest = text.dropFirst("https://".count)
        guard text.hasPrefix("https://"), let first = rest.first, first != "/",
            text.utf8.count <= 2000, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"\"\\{}[]@".utf8.contains($0) })
        else {
            throw InputError(
                "\(DisplayText.quoted(text, limit: 100)) is not an https address",
                hint: "write https://HOST/PATH; a secret is not sent without TLS, and no login belongs into an address")
        }
        return text
    }

    /// The name of a header field (RFC 9110, section 5.1).
    private static func fieldName(_ text: String) throws(InputError) -> String {
        guard (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({ Base62.contains($0) || $0 == UInt8(ascii: "-") })
        else {
            throw InputError(
                "\(DisplayText.quoted(text, limit: 64)) is not the name of a header field", hint: "such as X-Api-Key"
            )
        }
        return text
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
            "\(DisplayText.quoted(text, limit: 64)) is not \("aeiou".contains(what.prefix(1)) ? "an" : "a") \(what)",
            hint: DisplayText.suggestion(for: text, among: words)
                ?? "use one of \(words.joined(separator: ", "))")
    }
}
