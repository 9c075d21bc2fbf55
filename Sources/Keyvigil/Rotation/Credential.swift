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
        guard unsafe access(program, X_OK) == 0 else {
            throw InputError("there is no \(program), which encrypts credentials", hint: "install systemd 250 or later")
        }
        let result = try secret.withBytes { bytes in
            try ChildProcess.run(
                program, ["encrypt", "--name=\(name)", "-", "-"],
                environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"],
                input: bytes, milliseconds: 30_000)
        }
        guard result.status == 0, !result.output.isEmpty, result.output.utf8.count <= longest else {
            let why = result.errors.split(separator: "\n").last.map(String.init) ?? "it did not end in time"
            throw InputError(
                "systemd-creds cannot encrypt the credential \(DisplayText.quoted(name)): "
                    + DisplayText.escaped(why, limit: 200))
        }
        var text = Secret(capacity: result.output.utf8.count)
        text.append(contentsOf: result.output.utf8)
        return text
    }
}
