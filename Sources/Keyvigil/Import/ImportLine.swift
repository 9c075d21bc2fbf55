internal import Keys

/// One line of an import: its fields by name. The secret, if there is one, never becomes a string.
struct ImportLine: ~Copyable {
    /// The fields that a line may have.
    enum Field: String, CaseIterable {
        case name, kind, origin, owner, issuer, environment, permissions, resources, role, prefix, hash, secret, notes,
            client
        case expiresAt = "expires_at"
        case rotateEvery = "rotate_every"
        case createdAt = "created_at"

        /// - Throws: ``InputError`` with the nearest field.
        init(named text: String) throws(InputError) {
            let name = text.lowercased()
            let aliases = ["env": "environment", "scopes": "permissions"]
            if let field = Field(rawValue: aliases[name] ?? name) {
                self = field
                return
            }
            let names = Self.allCases.map(\.rawValue)
            throw InputError(
                "there is no field '\(DisplayText.escaped(text, limit: 64))'",
                hint: DisplayText.nearest(to: name, among: names).map { "did you mean \($0)?" }
                    ?? "the fields are \(names.joined(separator: ", "))")
        }
    }

    private(set) var texts: [Field: [String]] = [:]
    private(set) var secret: Secret?

    /// The one text of a field; nil where it is missing or empty.
    func text(_ field: Field) -> String? {
        guard let first = texts[field]?.first, !first.isEmpty else { return nil }
        return first
    }

    mutating func set(_ field: Field, _ value: consuming Secret) throws(InputError) {
        if field == .secret {
            if value.count > 0 { secret = consume value }
        } else {
            try add(field, value.text(upTo: value.count))
        }
    }

    mutating func add(_ field: Field, _ text: String) throws(InputError) {
        guard field != .secret else { throw InputError("the secret must be a text", hint: "write it in quotes") }
        texts[field, default: []].append(text)
    }

    /// Takes the secret out.
    mutating func takeSecret() -> Secret? {
        let taken = secret.take()
        return taken
    }
}
