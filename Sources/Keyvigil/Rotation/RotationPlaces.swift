internal import Errors
internal import KeyStore
internal import Keys
internal import Systemd

/// The files that get the new secret of a rotation, and the units that read it from them.
///
/// All that can be refused is refused when this is made, before the key has a new secret.
struct RotationPlaces {
    private let files: [SecretFile]
    private let units: [String]

    /// - Parameters:
    ///   - targets: as people name them, ``RotationTarget``.
    ///   - units: of systemd, to be reloaded.
    init(_ targets: [String], units: [String], of key: Key, in store: Store) throws {
        var files: [SecretFile] = []
        if !targets.isEmpty {
            let named = try targets.map { try RotationTarget(parsing: $0) }
            guard Set(named.map(\.path)).count == named.count else {
                throw InputError("--to names a file twice", hint: "name each file once")
            }
            let secrets = try KeySecrets(of: key, in: store)
            files = try named.map { try SecretFile($0, of: secrets) }
        } else if !units.isEmpty {
            throw InputError("--reload needs a file that the secret is written to", hint: "add --to PATH")
        }
        for unit in units { try Self.requireLoaded(unit) }
        self.files = files
        self.units = units
    }

    var isEmpty: Bool { files.isEmpty }

    /// Makes sure that a secret can be written to all of the files.
    func check(_ secret: borrowing Secret) throws { for file in files { try file.check(secret) } }

    /// Makes sure that a secret of a shape can be written to all of the files, by secrets that are of no account.
    func check(_ shape: SecretShape, of key: Key) throws {
        guard !isEmpty else { return }
        var generator = SystemRandom()
        let signIn = shape.hasUniquePrefixes ? nil : String(key.prefix.dropLast())
        let prefix = try shape.randomPrefix(environment: key.environment, signIn: signIn, using: &generator)
        // That many in a row have each character that one may have.
        let count = 64
        let one = try shape.makeSecret(prefix: prefix, using: &generator)
        var sample = Secret(capacity: count * one.count)
        for _ in 0..<count {
            try shape.makeSecret(prefix: prefix, using: &generator).withBytes { bytes in
                for index in 0..<min(bytes.count, one.count) { sample.append(bytes[index]) }
            }
        }
        try check(sample)
    }

    /// What came of the files and units.
    struct Result {
        var written: [String] = []
        var reloaded: [String] = []
        /// Units that do not run: they read the files when they start.
        var stopped: [String] = []
        /// What went wrong, a sentence each, and the commands that resolve it.
        var failures: [String] = []
        var remedies: [String] = []
    }

    /// Writes the secret to the files, and reloads the units.
    func write(_ secret: borrowing Secret) -> Result {
        var result = Result()
        for file in files {
            do {
                try file.write(secret)
                result.written.append(file.path)
            } catch {
                result.failures.append(
                    "it could not be written to \(DisplayText.name(file.path)): \((error as? InputError)?.message ?? "\(error)")"
                )
            }
        }
        guard !result.written.isEmpty else { return result }
        for unit in units {
            if !Self.running.contains(Self.state(of: unit)["ActiveState"] ?? "") {
                result.stopped.append(unit)
            } else if let failure = Self.reload(unit) {
                result.failures.append("the unit \(DisplayText.name(unit)) was not reloaded: \(failure)")
                result.remedies.append("systemctl restart \(argument: unit)")
            } else {
                result.reloaded.append(unit)
            }
        }
        return result
    }

    /// Makes sure that systemd knows a unit: a pattern would mean any number of others.
    private static func requireLoaded(_ unit: String) throws(InputError) {
        let name = DisplayText.name(unit)
        guard !unit.contains(where: { "*?[".contains($0) }) else {
            throw InputError(
                "\(name) is a pattern, and --reload takes the name of a unit",
                hint: "name each unit: --reload shop.service")
        }
        let state = state(of: unit)
        guard !state.isEmpty else {
            throw InputError(
                "systemd does not run here, so no unit can be reloaded",
                hint: "leave --reload out, and restart what uses the secret")
        }
        guard state["LoadState"] == "loaded" else {
            throw InputError(
                "systemd has no unit \(name) that it could reload: it is \(state["LoadState"] ?? "unknown")",
                hint: "see which there are: systemctl list-units --type=service")
        }
    }

    /// The states of units that systemctl(1) reloads or restarts; it does nothing to others, and says nothing of that.
    private static let running: Set<Substring> = ["active", "activating", "reloading"]

    /// What systemd says of a unit; empty where it does not run.
    private static func state(of unit: String) -> [Substring: Substring] {
        let shown = ServiceUser.systemctl("show", "--property=LoadState,ActiveState", "--", unit)?.output ?? ""
        let pairs = shown.split(separator: "\n").map { $0.split(separator: "=", maxSplits: 1) }.filter { $0.count == 2 }
        return Dictionary(pairs.map { ($0[0], $0[1]) }) { first, _ in first }
    }

    /// Has a service read its configuration again, or restarts it where it cannot.
    ///
    /// - Returns: why it was not reloaded; nil where it was.
    private static func reload(_ unit: String) -> String? {
        guard let result = ServiceUser.systemctl("try-reload-or-restart", "--", unit, within: 120) else {
            return "systemd does not run here"
        }
        guard result.status != 0 else { return nil }
        let why = result.errors.split(separator: "\n").first.map(String.init)
        return DisplayText.escaped(why ?? "it was not done within two minutes", limit: 300)
    }

    /// The files that have the secret of a rotation that was made before.
    ///
    /// - Throws: ``InputError`` where one has it not: the secret is kept nowhere else.
    func written(by rotation: RepeatedRotation) throws -> [String] {
        for file in files where try !file.holdsSecret(startingWith: rotation.prefix) {
            throw InputError(
                "this rotation was made before, and its secret is not in \(DisplayText.name(file.path)): it is not kept, so it "
                    + "cannot be written there", hint: "rotate again under another --idempotency-key")
        }
        return files.map(\.path)
    }

    /// The files in which a scan can see a secret.
    var readable: [String] { files.map(\.path).filter { !$0.hasSuffix(SecretFile.credentialSuffix) } }
}
