internal import Glibc
package import Keys
internal import SystemPackage

/// The peppers of merged stores: files in a directory beside the store's own pepper, with `.d` after its name. Each file has the start
/// of its fingerprint as its name, which so is the same on all hosts of a fleet.
package struct PepperFolder: Sendable {
    package let path: String
    private let credential: @Sendable (String) throws -> Pepper?

    /// - Parameters:
    ///   - pepper: the path of the store's own pepper.
    ///   - credential: reads the pepper in a credential of the service manager, by its name; nil where there is none.
    package init(
        beside pepper: String, credential: @escaping @Sendable (_ name: String) throws -> Pepper? = { _ in nil }
    ) {
        path = pepper + ".d"
        self.credential = credential
    }

    /// The name of the file of a pepper, and of its credential after `pepper.`.
    package static func name(of fingerprint: SecretHash) -> String { Hexadecimal.text(fingerprint.bytes.prefix(16)) }

    /// The path of the file of a pepper.
    package func path(of fingerprint: SecretHash) -> String { "\(path)/\(Self.name(of: fingerprint))" }

    /// Reads a pepper; nil where it is not there.
    ///
    /// - Throws: ``InputError`` for a file that cannot be read, is open to others or is another pepper.
    package func read(_ fingerprint: SecretHash) throws -> Pepper? {
        let path = path(of: fingerprint)
        let found = try credential("pepper.\(Self.name(of: fingerprint))") ?? PepperFile(path).read()
        guard let found, found.fingerprint != fingerprint else { return found }
        throw InputError(
            "the pepper \(path) is another one than its name says",
            hint: "copy it from a host that has it, under the same name")
    }

    /// Copies a pepper into the directory, and makes that where it is missing. A pepper that is there already stays.
    package func add(_ file: PepperFile) throws {
        guard let pepper = try file.read() else { throw file.isMissing }
        guard try read(pepper.fingerprint) == nil else { return }
        let owner = try DirectoryOwner(ofFile: path)
        // Read before the thread is itself again, which may change it.
        let failure = owner.act { unsafe mkdir(path, 0o700) == 0 ? nil : Errno(rawValue: errno) }
        if let failure, failure != .fileExists {
            throw InputError(
                "the directory \(path) cannot be made: \(PrivateFile.reason(failure))",
                hint: PrivateFile.accessHint(path))
        }
        try file.copy(to: self.path(of: pepper.fingerprint))
    }
}
