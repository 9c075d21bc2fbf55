internal import Errors
internal import KeyStore
internal import Keys
internal import LeakScan

/// Keeps secrets out of what is recorded of keys, such as names and notes, and out of what is said of it: a secret comes there by a
/// column that is not in its place, or by a paste.
final class RecordedTexts {
    private let makeMask: () throws -> NameMask
    private var mask: NameMask?

    init(_ workspace: borrowing Workspace) {
        let (store, configuration) = (workspace.store, workspace.configuration)
        makeMask = {
            try PlaceMask.make(
                store, shortest: configuration.hygiene.shortestPrefix, threads: configuration.scan.threads)
        }
    }

    private func loadedMask() throws -> NameMask {
        if let mask { return mask }
        let made = try makeMask()
        mask = made
        return made
    }

    /// Refuses a text that holds a secret of the store, or one of a known form.
    ///
    /// - Parameter what: what the text is, in the words of the message.
    func refuseSecret(in text: String, _ what: String) throws {
        guard UncheckedText.isDoubtful(text), try loadedMask().hides(Array(text.utf8)) else { return }
        throw Self.refusal(what)
    }

    private static func refusal(_ what: String) -> InputError {
        InputError(
            "there is a secret of a key in the \(what)", hint: "leave it out; what is recorded is shown in many places")
    }

    // MARK: - Fields of a key

    /// Refuses fields that hold the secret that they are about, or another one.
    func refuseSecrets(in fields: borrowing ImportLine) throws {
        let hash = fields.text(.hash).flatMap { Hexadecimal.bytes(Array($0.utf8)) }
        for field in ImportLine.Field.allCases where field.isRecordedText {
            for text in fields.texts[field] ?? [] where !text.isEmpty {
                let bytes = Array(text.utf8)
                if fields.holdsSecret(bytes) || hash != nil && Checksum.sha256(bytes.span) == hash
                    || Self.goesOn(behind: fields.text(.prefix), in: text)
                {
                    throw Self.refusal("field '\(field.rawValue)'")
                }
                try refuseSecret(in: text, "field '\(field.rawValue)'")
            }
        }
    }

    /// Whether a text has the visible prefix of a secret and more of the same word.
    private static func goesOn(behind prefix: String?, in text: String) -> Bool {
        guard let prefix, prefix.utf8.count >= 4, let range = text.utf8.firstRange(of: prefix.utf8) else {
            return false
        }
        let rest = text.utf8[range.upperBound...].prefix { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }
        return rest.count >= 8
    }

    /// An error about fields, without what may be a secret in them.
    func shown(_ error: any ExplainedError, about fields: borrowing ImportLine) -> any ExplainedError {
        var (message, hint) = (error.message, error.hint)
        for field in ImportLine.Field.allCases {
            for text in fields.texts[field] ?? [] where UncheckedText.mayBeSecret(text) {
                // A long value is quoted in part.
                let start = String(text.prefix(12))
                guard message.contains(start) || hint?.contains(start) ?? false else { continue }
                if field.isRecordedText, let mask = try? loadedMask(), !mask.hides(Array(text.utf8)) { continue }
                message =
                    "the field '\(field.rawValue)' cannot be used; its value may be a secret, and is not shown"
                hint = "look whether the line has each value in its place"
            }
        }
        return message == error.message ? error : InputError(message, hint: hint, origin: error.origin)
    }
}

extension ImportLine.Field {
    /// Whether it is recorded as it is written: free text, or a list of names.
    fileprivate var isRecordedText: Bool {
        switch self {
        case .name, .owner, .permissions, .resources, .role, .notes, .client, .expected: true
        case .kind, .origin, .issuer, .environment, .prefix, .hash, .secret, .expiresAt, .rotateEvery, .createdAt: false
        }
    }
}
