internal import Keys

/// What a file of settings says before it gets a new secret, with which what it says then is compared.
struct SettingsCheck {
    private let syntax: SettingsSyntax
    let values: [SettingsValue]

    /// - Throws: ``InputError`` for a file that cannot be read.
    init(_ syntax: SettingsSyntax, of text: borrowing Span<UInt8>) throws(InputError) {
        self.syntax = syntax
        values = try syntax.values(in: text)
    }

    /// The places of a secret; where it is all of a value, with how another value is written there.
    func precise(_ places: [ValuePlace]) -> [ValuePlace] {
        places.map { place in
            guard case .text(let style)? = values.first(where: { $0.range == place.range })?.use else { return place }
            return ValuePlace(range: place.range, style: style)
        }
    }

    /// Reads the new text as the file will be read: the values at the places are the secret, and all others are as they were.
    ///
    /// - Throws: ``InputError`` where it is not so.
    func check(_ text: borrowing Secret, has secret: borrowing Secret, at places: [ValuePlace]) throws(InputError) {
        let new: [SettingsValue]
        do {
            new = try text.withBytes { (bytes) throws(InputError) in try syntax.values(in: bytes) }
        } catch {
            throw InputError("with the new secret it could not be read: \(error.message)", hint: Self.remedy)
        }
        guard new.count == values.count else {
            throw InputError("with the new secret it would have other values than before", hint: Self.remedy)
        }
        for (before, after) in zip(values, new) {
            guard before.document == after.document, before.path == after.path else { throw Self.difference(before) }
            // An empty place is within nothing but the value itself.
            let isWanted = places.contains { $0.range == before.range }
            let isTouched = isWanted || places.contains { $0.range.overlaps(before.range) }
            let isRight =
                isWanted
                ? after.content.isEqual(to: secret)
                : isTouched ? after.content.contains(secret) : after.content == before.content
            guard isRight else { throw Self.difference(before) }
        }
    }

    private static let remedy = "change the file by hand: rotate without --to shows the secret"

    private static func difference(_ value: SettingsValue) -> InputError {
        InputError("line \(value.line): with the new secret the value there would not be what it should", hint: remedy)
    }
}
