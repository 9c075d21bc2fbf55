package import Keys
package import SystemPackage

/// Writes secrets to a descriptor straight from memory that is zeroed.
package enum SecretOutput {
    package static func write(_ secret: borrowing Secret, to file: FileDescriptor) throws {
        try secret.withBytes { bytes in
            var written = 0
            while written < bytes.count {
                let part = bytes.extracting(written..<bytes.count)
                written += try unsafe part.withUnsafeBytes { try unsafe file.write($0) }
            }
        }
    }
}
