internal import Glibc
internal import Keys
internal import Systemd

/// Encrypted credentials of systemd, as `LoadCredentialEncrypted=` reads them (systemd-creds(1)).
enum Credential {
    /// The maximum length of an encrypted secret, in bytes.
    static let longest = 32 << 10

    private static let program = "/usr/bin/systemd-creds"

    /// A secret, encrypted for this machine.
    ///
    /// - Parameter name: that of the credential, which a service has to ask for it by.
    /// - Throws: ``InputError`` where systemd-creds is not there or refuses.
    static func encrypted(_ secret: borrowing Secret, name: String) throws -> Secret {
        let output = try run("encrypt", secret, name: name)
        guard output.utf8.count <= longest else {
            throw InputError("the credential \(DisplayText.quoted(name)) would have more than \(longest) bytes")
        }
        return Self.secret(output)
    }

    /// The secret in a credential of this machine.
    ///
    /// - Throws: ``InputError`` as ``encrypted(_:name:)``.
    static func decrypted(_ credential: borrowing Secret, name: String) throws -> Secret {
        secret(try run("decrypt", credential, name: name))
    }

    private static func secret(_ output: String) -> Secret {
        var text = Secret(capacity: output.utf8.count)
        text.append(contentsOf: output.utf8)
        return text
    }

    /// What systemd-creds makes of an input.
    private static func run(_ verb: String, _ input: borrowing Secret, name: String) throws -> String {
        guard unsafe access(program, X_OK) == 0 else {
            throw InputError("there is no \(program), which \(verb)s credentials", hint: "install systemd 250 or later")
        }
        let result = try input.withBytes { bytes in
            try ChildProcess.run(
                program, [verb, "--name=\(name)", "-", "-"],
                environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"],
                input: bytes, milliseconds: 30_000)
        }
        guard result.status == 0, !result.output.isEmpty else {
            let why = result.errors.split(separator: "\n").last.map(String.init) ?? "it did not end in time"
            throw InputError(
                "systemd-creds cannot \(verb) the credential \(DisplayText.quoted(name)): "
                    + DisplayText.escaped(why, limit: 200))
        }
        return result.output
    }
}
