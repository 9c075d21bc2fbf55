internal import KeyStore
internal import Keys
internal import LeakScan
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
            let known = try store.prefixes(of: key.id)
            var builder = SearchTermsBuilder(expecting: known.count)
            for (secret, prefix, length) in known {
                let bytes = Array(prefix.utf8)
                try builder.add(id: secret, prefix: bytes.span, secretLength: length)
            }
            let (terms, own) = (SearchTerms(builder), Set(known.map(\.secret)))
            for target in try targets.map({ try RotationTarget(parsing: $0) }) {
                let recognizer = StoreRecognizer(store)
                let file = try SecretFile(target) { bytes in
                    let places = SecretPlaces.all(in: bytes, terms, recognizer)
                    try recognizer.check()
                    return places.filter { own.contains($0.secret) }
                }
                files.append(file)
            }
            guard Set(files.map(\.path)).count == files.count else {
                throw InputError("--to names a file twice", hint: "name each file once")
            }
        } else if !units.isEmpty {
            throw InputError("--reload needs a file that the secret is written to", hint: "add --to PATH")
        }
        self.files = files
        self.units = units
    }

    var isEmpty: Bool { files.isEmpty }

    /// Makes sure that a secret can be written to all of the files.
    func check(_ secret: borrowing Secret) throws { for file in files { try file.check(secret) } }

    /// What came of the files and units.
    struct Result {
        var written: [String] = []
        var reloaded: [String] = []
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
            if let failure = Self.reload(unit) {
                result.failures.append("the unit \(DisplayText.name(unit)) was not reloaded: \(failure)")
                result.remedies.append("systemctl restart \(DisplayText.argument(unit.utf8))")
            } else {
                result.reloaded.append(unit)
            }
        }
        return result
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

    /// The files in which a scan can see a secret.
    var readable: [String] { files.map(\.path).filter { !$0.hasSuffix(SecretFile.credentialSuffix) } }
}
