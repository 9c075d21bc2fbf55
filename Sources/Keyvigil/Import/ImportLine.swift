internal import Keys

/// One line of an import: its fields by name. The secret, if there is one, never becomes a string.
struct ImportLine: ~Copyable {
    /// The fields that a line may have.
    enum Field: String, CaseIterable {
        case name, kind, origin, owner, issuer, environment, permissions, resources, role, prefix, hash, secret, notes,
            client, expected
        case expiresAt = "expires_at"
        case rotateEvery = "rotate_every"
        case createdAt = "created_at"

        /// Whether a line may give several values.
        var isList: Bool { self == .permissions || self == .resources || self == .expected }

        /// - Throws: ``InputError`` with the nearest field.
        init(named text: String) throws(InputError) {
            let name = text.lowercased()
            let aliases = ["env": "environment", "scopes": "permissions"]
            if let field = Field(rawValue: aliases[name] ?? name) {
                self = field
                return
            }
            let names = Self.allCases.map(\.rawValue)
            guard !UncheckedText.mayBeSecret(text) else {
                throw InputError(
                    "there is no field of a name that may be a secret, and is not shown",
                    hint: "name the fields first; they are \(names.joined(separator: ", "))")
            }
            throw InputError(
                "there is no field \(DisplayText.quoted(text, limit: 64))",
                hint: DisplayText.suggestion(for: name, among: names)
                    ?? "the fields are \(names.joined(separator: ", "))")
        }
    }

    private(set) var texts: [Field: [String]] = [:]
    private(set) var secret: Secret?

    /// The one text of a field; nil where it is missing or empty.
    func text(_ field: Field) -> String? {
        texts[field]?.first { !$0.isEmpty }
    }

    /// Sets a field. Blanks around a value are no part of it: who presents a secret may leave them away, so with them and
    /// without them it is one.
    ///
    /// - Throws: ``InputError`` for a second value of a field that has one.
    mutating func set(_ field: Field, _ value: consuming Secret) throws(InputError) {
        if field == .secret {
            let trimmed = Authorization.secret(in: value)
            guard trimmed.count > 0 else { return }
            guard secret == nil else { throw Self.twice(field) }
            secret = consume trimmed
            return
        }
        let trimmed = value.withoutBlanks
        let text = trimmed.text(upTo: trimmed.count)
        guard field.isList || text.isEmpty || self.text(field) == nil else { throw Self.twice(field) }
        texts[field, default: []].append(text)
    }

    /// Whether a text holds the secret.
    func holdsSecret(_ text: [UInt8]) -> Bool {
        switch secret {
        case .some(let secret):
            secret.count > 0 && secret.withBytes { text.span.contains($0) }
        case .none: false
        }
    }

    /// Whether no field has a value.
    var isEmpty: Bool { secret == nil && texts.values.allSatisfy { $0.allSatisfy(\.isEmpty) } }

    static func twice(_ field: Field) -> InputError {
        InputError("the field '\(field.rawValue)' has two values", hint: "give one")
    }

    /// Takes the secret out.
    mutating func takeSecret() -> Secret? {
        let taken = secret.take()
        return taken
    }
}

extension Secret {
    /// The text without ASCII white space around it.
    fileprivate var withoutBlanks: Secret {
        let range = withBytes { bytes in
            var (start, end) = (0, bytes.count)
            while start < end, bytes[start] <= 0x20 { start += 1 }
            while end > start, bytes[end - 1] <= 0x20 { end -= 1 }
            return start..<end
        }
        return slice(range)
    }
}
