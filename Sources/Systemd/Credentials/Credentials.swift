import CLinux
internal import Glibc

/// The credentials that the service manager passes to the unit: `LoadCredential=` in systemd.exec(5).
package struct Credentials: Sendable {
    /// The directory with one file for each credential.
    package let directory: String

    /// Nil if the unit has no credentials, or no service manager started the process.
    ///
    /// - Parameter environment: Where CREDENTIALS_DIRECTORY is looked up.
    package init?(environment: [String: String] = ProcessEnvironment.current) {
        guard let directory = environment["CREDENTIALS_DIRECTORY"], directory.hasPrefix("/") else {
            return nil
        }
        self.directory = directory
    }

    /// Calls `body` with the bytes of a credential, and zeroes them afterwards.
    ///
    /// - Parameters:
    ///   - name: The name of the credential, a plain file name.
    ///   - maximum: The maximum size in bytes; a larger credential is an error.
    /// - Returns: The result of `body`, or nil if the unit has no such credential.
    package func withCredential<R>(
        _ name: String, maximum: Int, _ body: (Span<UInt8>) throws -> R
    ) throws -> R? {
        guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(where: { $0 == 0x2F || $0 == 0 })
        else { throw SystemdError.credentialName(name) }
        let number = unsafe open(directory + "/" + name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY)
        if number < 0 && errno == ENOENT { return nil }
        let file = try Descriptor(number, for: "open the credential \(name)")
        // One byte more than the maximum shows that the file is too large. The buffer never grows, so no copy of the
        // bytes remains in memory.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: maximum + 1, alignment: 16)
        defer {
            unsafe Zeroing.zero(buffer)
            unsafe buffer.deallocate()
        }
        var count = 0
        while count < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let read = unsafe read(file.number, rest.baseAddress, rest.count)
            if read < 0 && errno == EINTR { continue }
            guard read >= 0 else { throw SystemdError.cannot("read the credential \(name)", errno) }
            if read == 0 { break }
            count += read
        }
        guard count <= maximum else { throw SystemdError.credential(name, largerThan: maximum) }
        let bytes = unsafe UnsafeBufferPointer(
            start: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), count: count)
        // The span cannot escape this call, and the buffer outlives it.
        return unsafe try body(Span(_unsafeElements: bytes))
    }
}
