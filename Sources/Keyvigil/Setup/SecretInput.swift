internal import Glibc
internal import Keys
internal import SystemPackage

/// Reads secrets from a descriptor into memory that is zeroed, never by way of a string.
enum SecretInput {
    /// Reads to the end of the file, or to the end of the first line of a terminal.
    ///
    /// - Throws: ``InputError`` where nothing comes, or more than `limit` bytes.
    static func read(from file: FileDescriptor, limit: Int, what: String) throws -> Secret {
        var secret = Secret(capacity: limit + 1)
        let isTerminal = isatty(file.rawValue) == 1
        while secret.count <= limit {
            guard let byte = try readByte(file) else { break }
            if isTerminal, byte == UInt8(ascii: "\n") { break }
            secret.append(byte)
        }
        guard secret.count <= limit else {
            throw InputError("\(what) has more than \(limit) bytes", hint: "give the secret alone")
        }
        return secret
    }

    /// One byte at a time: the kernel's buffer then is the only other place with a secret. Secrets are short.
    private static func readByte(_ file: FileDescriptor) throws -> UInt8? {
        var byte: UInt8 = 0
        let count = try unsafe withUnsafeMutableBytes(of: &byte) { buffer in
            do { return try unsafe file.read(into: buffer) } catch Errno.badFileDescriptor { return 0 }
        }
        defer { byte = 0 }
        return count == 1 ? byte : nil
    }

    /// Whether a person can be asked.
    static var isTerminal: Bool { isatty(FileDescriptor.standardInput.rawValue) == 1 }

    /// Asks on the terminal with the echo off, else reads standard input.
    static func ask(_ prompt: String, limit: Int, what: String) throws -> Secret {
        let input = FileDescriptor.standardInput
        guard isTerminal else {
            let secret = try read(from: input, limit: limit, what: what)
            guard secret.count > 0 else {
                throw InputError("nothing came on standard input", hint: "pipe \(what) in, or type it at a terminal")
            }
            return secret
        }
        Terminal.ask(prompt)
        let echo = TerminalEcho(off: input)
        defer { echo.restore() }
        return try read(from: input, limit: limit, what: what)
    }
}

/// Switches a terminal's echo off, and back on.
private struct TerminalEcho {
    private let descriptor: Int32
    private let before: termios

    init(off file: FileDescriptor) {
        descriptor = file.rawValue
        var settings = termios()
        unsafe tcgetattr(descriptor, &settings)
        before = settings
        settings.c_lflag &= ~tcflag_t(ECHO)
        unsafe tcsetattr(descriptor, TCSAFLUSH, &settings)
    }

    func restore() {
        var settings = before
        unsafe tcsetattr(descriptor, TCSAFLUSH, &settings)
        Terminal.say("")
    }
}
