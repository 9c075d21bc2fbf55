internal import Errors
package import Keys
internal import SystemPackage

/// The file that holds a store's pepper.
package struct PepperFile: Sendable {
    private let path: String
    private static let longest = 4096

    package init(_ path: String) { self.path = path }

    /// Whether there is a file, readable or not.
    package var exists: Bool { PrivateFile.exists(path) }

    /// The command that puts a copy back, for the owner of its directory.
    package var restoring: String {
        "install -m 0600 COPY \(argument: path) && chown --reference=\(argument: PrivateFile.directory(of: path)) \(argument: path)"
    }

    /// The error for a file that has to be there.
    package var isMissing: InputError {
        InputError("there is no pepper at \(path)", hint: "give the file that was beside the store, or a copy of it")
    }

    /// Reads the pepper; nil where there is no file.
    ///
    /// - Throws: ``InputError`` for a file that cannot be read, is no pepper, or is open to others.
    package func read() throws -> Pepper? { try withBytes { try Pepper($0) } }

    /// Makes a copy that is on the disk when this returns.
    ///
    /// - Throws: ``InputError`` also where there is a file at the target.
    func copy(to target: String) throws {
        let isDone: Void? = try withBytes { bytes in
            do {
                let new = try NewFile(for: target, patience: Self.patience)
                try Self.write(bytes, to: new.file)
                try new.publish()
            } catch let error as Errno {
                throw InputError(
                    "the pepper \(target) cannot be made: \(PrivateFile.reason(error))",
                    hint: PrivateFile.accessHint(target))
            }
        }
        guard isDone != nil else { throw isMissing }
    }

    /// Calls `body` with the bytes of the file; nil where there is none.
    private func withBytes<Result>(_ body: (borrowing Secret) throws -> Result) throws -> Result? {
        let owner = try DirectoryOwner(ofFile: path)
        let file: FileDescriptor
        do {
            file = try owner.act { () throws(Errno) in try PrivateFile.open(path, followingSymlinks: false) }
        } catch Errno.noSuchFileOrDirectory {
            return nil
        } catch {
            throw InputError(
                "the pepper \(path) cannot be read: \(PrivateFile.reason(error))", hint: PrivateFile.accessHint(path))
        }
        return try file.closeAfter {
            guard try !FileStatus(of: file).isExposed else {
                throw InputError(
                    "the pepper \(path) can be read or written by others than its owner",
                    hint: "run: chmod 600 \(argument: path)")
            }
            return try body(Self.bytes(of: file))
        }
    }

    /// One byte at a time, so that no buffer but the kernel's keeps a part of it.
    private static func bytes(of file: FileDescriptor) throws -> Secret {
        var secret = Secret(capacity: longest + 1)
        var byte: UInt8 = 0
        while secret.count <= longest,
            try unsafe withUnsafeMutableBytes(of: &byte, { try unsafe file.read(into: $0) }) == 1
        {
            secret.append(byte)
        }
        byte = 0
        return secret
    }

    /// Makes the file whole under another name, then links it into place: no one ever reads a part of it, and of two
    /// programs that start at once one wins. It is on the disk before the first secret is hashed with it: a pepper that a
    /// power cut takes would leave every key unknown.
    ///
    /// - Parameter generator: must be cryptographically secure outside tests.
    package func make(using generator: inout some RandomNumberGenerator) throws {
        do {
            let new = try NewFile(for: path, patience: Self.patience)
            try Self.write(to: new.file, using: &generator)
            try new.publish()
        } catch Errno.fileExists {
            // Another program was first.
        } catch let error as Errno {
            throw InputError(
                "the pepper \(path) cannot be made: \(error.description.lowercased())",
                hint: "make its directory: install -d -m 0700 -o keyvigil -g keyvigil "
                    + "\(argument: PrivateFile.directory(of: path))")
        }
    }

    /// How long to wait for another program that makes it at this moment, in seconds.
    private static let patience = 5.0

    private static func write(to file: FileDescriptor, using generator: inout some RandomNumberGenerator) throws {
        var bytes = Secret(capacity: Pepper.byteCount)
        for _ in 0..<Pepper.byteCount { bytes.append(UInt8(truncatingIfNeeded: generator.next() as UInt64)) }
        try write(bytes, to: file)
    }

    private static func write(_ bytes: borrowing Secret, to file: FileDescriptor) throws {
        try bytes.withBytes { span in
            _ = try unsafe span.withUnsafeBytes { try unsafe file.writeAll($0) }
        }
        try PrivateFile.sync(file)
    }
}
