internal import Foundation
package import Keys
internal import SystemPackage
internal import Systemd

/// Where the pepper comes from: the service manager's credential `pepper`, else a file.
package struct PepperSource: Sendable {
    private let environment: [String: String]
    private let path: String

    /// The name of the credential (systemd.exec(5), LoadCredential=).
    package static let credentialName = "pepper"

    /// - Parameters:
    ///   - environment: the process environment, which tells where the credentials are.
    ///   - path: the file to read where there is no credential.
    package init(environment: [String: String], path: String) {
        self.environment = environment
        self.path = path
    }

    /// Reads the pepper.
    ///
    /// - Parameters:
    ///   - mayCreate: whether a pepper may be made where there is none: only for a store that is new, since with a new
    ///     pepper an old store would recognise no secret.
    ///   - generator: must be cryptographically secure outside tests.
    package func load(mayCreate: Bool, using generator: inout some RandomNumberGenerator) throws -> Pepper {
        if let credentials = Credentials(environment: environment) {
            let found = try credentials.withCredential(Self.credentialName, maximum: 4096) { bytes in
                try Pepper(Secret(copying: bytes))
            }
            if let found { return found }
        }
        if let pepper = try readFile() { return pepper }
        guard mayCreate else {
            throw InputError(
                "the pepper \(path) is missing, but the store was made with one",
                hint: "put it back from the backup; without it no secret can be recognised")
        }
        try makeFile(&generator)
        guard let pepper = try readFile() else {
            throw InputError("the pepper \(path) vanished while it was made", hint: "see who else uses the directory")
        }
        return pepper
    }

    private func readFile() throws -> Pepper? {
        let file: FileDescriptor
        do {
            file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.noFollow, .closeOnExec])
        } catch Errno.noSuchFileOrDirectory {
            return nil
        } catch let error as Errno {
            throw InputError(
                "the pepper \(path) cannot be read: \(error.description.lowercased())",
                hint: "run as root or as the user keyvigil: sudo -u keyvigil keyvigil …")
        }
        return try file.closeAfter {
            try requirePrivate()
            return try Pepper(SecretInput.read(from: file, limit: 4096, what: "the pepper"))
        }
    }

    private func requirePrivate() throws {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
        guard mode & 0o077 == 0 else {
            throw InputError(
                "the pepper \(path) can be read or written by others than its owner", hint: "run: chmod 600 \(path)")
        }
    }

    /// Makes the file whole under another name, then links it into place: no one ever reads a part of it, and of two
    /// programs that start at once one wins.
    private func makeFile(_ generator: inout some RandomNumberGenerator) throws {
        let temporary = "\(path).\(generator.next() as UInt64).new"
        do {
            let file = try FileDescriptor.open(
                FilePath(temporary), .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: .ownerReadWrite)
            var bytes = Secret(capacity: Pepper.byteCount)
            for _ in 0..<Pepper.byteCount { bytes.append(UInt8(truncatingIfNeeded: generator.next() as UInt64)) }
            try file.closeAfter { try SecretOutput.write(bytes, to: file) }
        } catch let error as Errno {
            throw InputError(
                "the pepper \(path) cannot be made: \(error.description.lowercased())",
                hint:
                    "make its directory: install -d -m 0700 -o keyvigil -g keyvigil \((path as NSString).deletingLastPathComponent)"
            )
        }
        adoptOwner(temporary)
        defer { try? FileManager.default.removeItem(atPath: temporary) }
        do { try FileManager.default.linkItem(atPath: temporary, toPath: path) } catch let error as CocoaError
            where error.code == .fileWriteFileExists
        { return }
    }

    /// Root makes the file for the service, which owns the directory.
    private func adoptOwner(_ file: String) {
        guard geteuid() == 0 else { return }
        let directory = (path as NSString).deletingLastPathComponent
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: directory),
            let owner = attributes[.ownerAccountID], let group = attributes[.groupOwnerAccountID]
        else { return }
        try? FileManager.default.setAttributes(
            [.ownerAccountID: owner, .groupOwnerAccountID: group], ofItemAtPath: file)
    }
}
