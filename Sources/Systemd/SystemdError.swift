import CLinux
package import Errors
internal import Glibc

/// An error of the service manager, the journal or the kernel, and what to do about it.
package struct SystemdError: ExplainedError, Hashable {
    /// The kind of failure. Private: callers use `message` or one of the properties below.
    private enum Code: Hashable, Sendable {
        case systemCall, journal, watchLimit, descriptorLimit, credential, field
    }

    private let code: Code

    package let message: String
    package let remedy: String
    package let origin: ErrorOrigin?

    /// The error number of the failed call, or one that describes the failure.
    package let errno: Int32

    private init(
        code: Code, message: String, remedy: String, errno: Int32, file: StaticString = #fileID, line: UInt = #line
    ) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.errno = errno
        origin = ErrorOrigin(file: file, line: line)
    }

    package var hint: String? { remedy }

    /// Whether the limit on inotify watches or instances of this user is reached (`ENOSPC`, `EMFILE` of inotify_init1).
    package var isWatchLimit: Bool { code == .watchLimit }

    /// Whether no file descriptor is left, in this process or on the machine (`EMFILE`, `ENFILE`).
    package var isDescriptorLimit: Bool { code == .descriptorLimit }
}

extension SystemdError {
    /// A system call failed.
    static func cannot(_ action: String, _ errno: Int32) -> SystemdError {
        if errno == EMFILE || errno == ENFILE {
            return SystemdError(
                code: .descriptorLimit,
                message: "cannot \(action): \(text(of: errno))",
                remedy: "raise LimitNOFILE= of the unit, or the fs.file-max sysctl",
                errno: errno)
        }
        return SystemdError(
            code: .systemCall,
            message: "cannot \(action): \(text(of: errno))",
            remedy: remedy(for: errno),
            errno: errno)
    }

    /// libsystemd could not open or read the journal; `errno` is positive.
    static func cannotReadJournal(_ action: String, _ errno: Int32) -> SystemdError {
        SystemdError(
            code: .journal,
            message: "cannot \(action) the journal: \(text(of: errno))",
            remedy: errno == EACCES || errno == EPERM
                ? "add the user to the group systemd-journal"
                : "check it with journalctl --verify",
            errno: errno)
    }

    /// The limit on inotify watches of the user is reached.
    static func watchesExhausted() -> SystemdError {
        SystemdError(
            code: .watchLimit,
            message: "the limit on inotify watches is reached",
            remedy: "raise it with: sysctl fs.inotify.max_user_watches=1048576",
            errno: ENOSPC)
    }

    /// The limit on inotify instances of the user is reached.
    static func instancesExhausted() -> SystemdError {
        SystemdError(
            code: .watchLimit,
            message: "cannot watch files: the limit on inotify instances is reached",
            remedy: "raise it with: sysctl fs.inotify.max_user_instances=1024",
            errno: EMFILE)
    }

    /// A credential is too large.
    static func credential(_ name: String, largerThan maximum: Int) -> SystemdError {
        SystemdError(
            code: .credential,
            message: "the credential \(name) is larger than \(maximum) bytes",
            remedy: "check the file that LoadCredential= of the unit names",
            errno: EFBIG)
    }

    /// The name of a credential is not a plain file name.
    static func credentialName(_ name: String) -> SystemdError {
        SystemdError(
            code: .credential,
            message: "\(name.debugDescription) is not the name of a credential",
            remedy: "use a plain file name, as in LoadCredential=NAME:PATH",
            errno: EINVAL)
    }

    /// A journal match on a field that no entry can have.
    static func field(_ name: String) -> SystemdError {
        SystemdError(
            code: .field,
            message: "\(name.debugDescription) is not the name of a journal field",
            remedy: "use A-Z, 0-9 and _, at most 64 characters",
            errno: EINVAL)
    }

    private static func remedy(for errno: Int32) -> String {
        switch errno {
        case EACCES, EPERM: "check the permissions and the sandbox of the unit"
        case ENOENT: "check that the path exists"
        case ENOMEM, EAGAIN: "the machine or the unit's MemoryMax= or TasksMax= is exhausted; try again"
        default: "see errno \(errno) in errno(3)"
        }
    }

    /// The C library's description of an error number.
    static func text(of errno: Int32) -> String {
        // The function is thread safe and returns a constant of the C library, or NULL for an unknown number.
        guard let words = unsafe keyvigil_error_text(errno) else { return "errno \(errno)" }
        return unsafe String(cString: words)
    }
}
