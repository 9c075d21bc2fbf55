internal import Errors
internal import KeyStore
internal import Keys
internal import LeakScan

/// A file that is about to get a new secret. Making one finds out whether that is possible, and changes nothing.
final class SecretFile {
    let path: String
    private let file: FileReplacement
    private let content: Content
    private let secrets: KeySecrets

    private enum Content {
        /// Some values of the file. What it says is read before and afterwards, where its syntax can be read.
        case values([ValuePlace], SettingsCheck?)
        /// All of an empty file.
        case whole
        /// A systemd credential of this name.
        case credential(String)
    }

    init(_ target: RotationTarget, of secrets: KeySecrets) throws {
        self.secrets = secrets
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
        do {
            content = try file.content.withBytes { bytes in
                let syntax = SettingsSyntax(path: target.path)
                if let field = target.field {
                    let check = try SettingsCheck(syntax, of: bytes)
                    return .values(try syntax.places(of: field, among: check.values), check)
                }
                guard let places = try Self.places(of: secrets.places(in: bytes), in: bytes) else {
                    try Self.requireBareSecret(syntax, target.path)
                    return .whole
                }
                // Of a file of another syntax nothing is known but that the secret is in it.
                let check = try? SettingsCheck(syntax, of: bytes)
                return .values(check?.precise(places) ?? places, check)
            }
        } catch let error as InputError {
            throw InputError("\(name) cannot get the new secret: \(error.message)", hint: error.hint)
        }
        if case .values(let found, _) = content, found.count > values {
            throw InputError(
                "\(name) has the secret \(found.count) times",
                hint: "name the field: --to \(argument: "\(path)#FIELD")")
        }
    }

    static let credentialSuffix = ".cred"

    /// The places of the key's secrets in a file; nil where it is empty.
    private static func places(
        of found: [SecretPlaces.Place], in bytes: borrowing Span<UInt8>
    ) throws(InputError) -> [ValuePlace]? {
        guard !found.isEmpty else {
            guard bytes.count == 0 else {
                throw InputError(
                    "it holds no secret of the key, so nothing says where the new one belongs",
                    hint: "name the field, as in --to /etc/shop/env#API_KEY")
            }
            return nil
        }
        if let other = found.first(where: { $0.form != .plain }) {
            throw InputError(
                "the secret is written there in another form (\(other.form.name))",
                hint: "name the field, as in --to /etc/shop/env#API_KEY, or change the file by hand")
        }
        var places: [ValuePlace] = []
        for place in found { places.append(.verbatim(place.range, in: bytes)) }
        return places
    }

    private static func requireBareSecret(_ syntax: SettingsSyntax, _ path: String) throws(InputError) {
        guard syntax.allowsBareSecret(path: path) else {
            throw InputError(
                "it is empty, and a secret alone is no file of that kind",
                hint: "write the name with an empty text for its value into it, and name the field")
        }
    }

    /// Whether the file has the secret of the key that has a visible prefix, where it would be written.
    func holdsSecret(startingWith prefix: String) throws -> Bool {
        if case .credential(let name) = content {
            guard file.content.count > 0 else { return false }
            return try secrets.prefix(of: Credential.decrypted(file.content, name: name)) == prefix
        }
        return try file.content.withBytes { bytes in
            let held = try secrets.places(in: bytes).filter { secrets.prefix(of: $0) == prefix }
            guard case .values(let values, _) = content else { return false }
            return !values.isEmpty && values.allSatisfy { value in held.contains { $0.range == value.range } }
        }
    }

    /// Makes sure that a secret can be written here.
    func check(_ secret: borrowing Secret) throws {
        do {
            _ = try text(with: secret)
        } catch let error as InputError {
            throw InputError(
                "\(DisplayText.name(path)) cannot get the new secret: \(error.message)", hint: error.hint)
        }
    }

    /// Writes the secret.
    func write(_ secret: borrowing Secret) throws { try file.commit(text(with: secret)) }

    private func text(with secret: borrowing Secret) throws -> Secret {
        switch content {
        case .credential(let name): return try Credential.encrypted(secret, name: name)
        case .whole: return secret.slice(0..<secret.count)
        case .values(let values, let check):
            let text = try ValuePlace.text(of: file.content, with: secret, at: values)
            try check?.check(text, has: secret, at: values)
            return text
        }
    }
}
