internal import KeyStore
internal import Keys
internal import Systemd

/// Where the pepper comes from: the service manager's credential `pepper`, else a file.
struct PepperSource: Sendable {
    private let environment: [String: String]
    private let path: String

    /// The name of the credential (systemd.exec(5), LoadCredential=).
    static let credentialName = "pepper"

    /// - Parameters:
    ///   - environment: the process environment, which tells where the credentials are.
    ///   - path: the file to read where there is no credential.
    init(environment: [String: String], path: String) {
        self.environment = environment
        self.path = path
    }

    /// The fingerprint of the pepper; nil where there is none.
    func fingerprint() throws -> SecretHash? {
        try Self.credential(Self.credentialName, environment)?.fingerprint ?? PepperFile(path).read()?.fingerprint
    }

    /// Where the peppers of merged stores are: each is a credential of its name, else a file beside the store's pepper.
    var merged: PepperFolder {
        PepperFolder(beside: path) { [environment] name in try Self.credential(name, environment) }
    }

    private static func credential(_ name: String, _ environment: [String: String]) throws -> Pepper? {
        try Credentials(environment: environment)?.withCredential(name, maximum: 4096) { bytes in
            try Pepper(Secret(copying: bytes))
        }
    }

    /// Reads the pepper.
    ///
    /// - Parameters:
    ///   - mayCreate: whether a pepper may be made where there is none: only for a store that is new, since with a new
    ///     pepper an old store would recognise no secret.
    ///   - generator: must be cryptographically secure outside tests.
    func load(mayCreate: Bool, using generator: inout some RandomNumberGenerator) throws -> Pepper {
        if let credential = try Self.credential(Self.credentialName, environment) { return credential }
        let file = PepperFile(path)
        if let pepper = try file.read() { return pepper }
        guard mayCreate else {
            throw InputError(
                "the pepper \(path) is missing, but the store was made with one",
                hint: "put your copy of it back: \(file.restoring); without it no secret can be recognised")
        }
        try file.make(using: &generator)
        guard let pepper = try file.read() else {
            throw InputError("the pepper \(path) vanished while it was made", hint: "see who else uses the directory")
        }
        return pepper
    }
}
