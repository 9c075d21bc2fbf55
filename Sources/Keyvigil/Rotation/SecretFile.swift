internal import KeyStore
internal import Keys
internal import LeakScan

/// A file that is about to get a new secret. Making one finds out whether that is possible, and changes nothing.
final class SecretFile {
    let path: String
    private let file: FileReplacement
    private let content: Content

    private enum Content {
        /// Some values of the file.
        case values([ValuePlace])
        /// All of an empty file.
        case whole
        /// A systemd credential of this name.
        case credential(String)
    }

    /// - Parameter secrets: finds the secrets of the key in the content of a file.
    init(_ target: RotationTarget, secrets: (borrowing Span<UInt8>) throws -> [SecretPlaces.Place]) throws {
        path = target.path
        let values = 4
        let growth = values * (2 * Secret.longest + 2)
        file = try FileReplacement(path, growth: path.hasSuffix(Self.credentialSuffix) ? Credential.longest : growth)
        let name = DisplayText.name(path)
        if path.hasSuffix(Self.credentialSuffix) {
            guard target.field == nil else { throw InputError("\(name) is a credential, which has no fields") }
            let credential = String(path.split(separator: "/").last ?? "").dropLast(Self.credentialSuffix.count)
            // A secret of no account shows whether it can be encrypted here.
            var sample = Secret(capacity: 1)
            sample.append(UInt8(ascii: "-"))
            _ = try Credential.encrypted(sample, name: String(credential))
            content = .credential(String(credential))
            return
        }
        let found: [ValuePlace]
        do {
            found = try file.content.withBytes { bytes in
                if let field = target.field {
                    return try ValueSyntax(path: target.path).places(of: field, in: bytes)
                }
                return try Self.values(of: secrets(bytes), isEmpty: bytes.count == 0)
            }
        } catch let error as InputError {
            throw InputError("\(name) cannot get the new secret: \(error.message)", hint: error.hint)
        }
        guard found.count <= values else {
            throw InputError("\(name) has the secret \(found.count) times", hint: "name the field: --to \(path)#FIELD")
        }
        content = found.isEmpty ? .whole : .values(found)
    }

    static let credentialSuffix = ".cred"

    /// The places of the key's secrets in a file.
    private static func values(of places: [SecretPlaces.Place], isEmpty: Bool) throws(InputError) -> [ValuePlace] {
        guard !places.isEmpty else {
            guard isEmpty else {
                throw InputError(
                    "it holds no secret of the key, so nothing says where the new one belongs",
                    hint: "name the field, as in --to /etc/shop/env#API_KEY")
            }
            return []
        }
        if let other = places.first(where: { $0.form != .plain }) {
            throw InputError(
                "the secret is written there in another form (\(other.form.name))",
                hint: "name the field, as in --to /etc/shop/env#API_KEY, or change the file by hand")
        }
        return places.map { ValuePlace(range: $0.range, style: .verbatim) }
    }

    /// Makes sure that a secret can be written here.
    func check(_ secret: borrowing Secret) throws { _ = try text(with: secret) }

    /// Writes the secret.
    func write(_ secret: borrowing Secret) throws { try file.commit(text(with: secret)) }

    private func text(with secret: borrowing Secret) throws -> Secret {
        switch content {
        case .credential(let name): return try Credential.encrypted(secret, name: name)
        case .whole: return secret.slice(0..<secret.count)
        case .values(let values):
            var text = Secret(capacity: file.content.count + values.count * ValuePlace.longest(secret))
            var at = 0
            for value in values {
                Self.append(file.content, at..<value.range.lowerBound, to: &text)
                try value.write(secret, to: &text)
                at = value.range.upperBound
            }
            Self.append(file.content, at..<file.content.count, to: &text)
            return text
        }
    }

    private static func append(_ source: borrowing Secret, _ range: Range<Int>, to text: inout Secret) {
        source.withBytes { bytes in for index in range { text.append(bytes[index]) } }
    }
}
