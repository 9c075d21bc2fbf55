import CLinux
internal import Glibc

/// What went wrong between Keyvigil and the service manager, the journal or the kernel, and what to do about it.
package struct SystemdError: Error, Hashable, Sendable {
    /// The kind of failure; hidden, so that callers read `message` or one of the questions below.
    private enum Code: Hashable, Sendable {
        case systemCall, journal, watchLimit, descriptorLimit, credential, field
    }

    private let code: Code

    /// What happened: lowercase, no full stop.
    package let message: String

    /// What a person can do about it.
    package let hint: String

    /// The kernel's error number, or 0 where no call failed.
    package let errno: Int32

    /// The limit on inotify watches or instances of this user is used up (`ENOSPC`, `EMFILE` of inotify_init1).
    package var isWatchLimit: Bool { code == .watchLimit }

    /// No file descriptor was left, in this process or on the machine (`EMFILE`, `ENFILE`).
    package var isDescriptorLimit: Bool { code == .descriptorLimit }
}

extension SystemdError: CustomStringConvertible {
    package var description: String { "\(message) (\(hint))" }
}

extension SystemdError {
    /// A system call failed for a reason that needs no advice of its own.
    static func cannot(_ action: String, _ errno: Int32) -> SystemdError {
        if errno == EMFILE || errno == ENFILE {
            return SystemdError(
                code: .descriptorLimit,
                message: "cannot \(action): \(text(of: errno))",
                hint: "raise LimitNOFILE= of the unit, or the fs.file-max sysctl",
                errno: errno)
        }
        return SystemdError(
            code: .systemCall,
            message: "cannot \(action): \(text(of: errno))",
            hint: hint(for: errno),
            errno: errno)
    }

    /// libsystemd could not open or read the journal; `errno` is positive.
    static func cannotReadJournal(_ action: String, _ errno: Int32) -> SystemdError {
        SystemdError(
            code: .journal,
            message: "cannot \(action) the journal: \(text(of: errno))",
            hint: errno == EACCES || errno == EPERM
                ? "add the user to the group systemd-journal"
                : "check it with journalctl --verify",
            errno: errno)
    }

    /// The user's inotify watches are used up.
    static func watchesExhausted(path: String) -> SystemdError {
        SystemdError(
            code: .watchLimit,
            message: "cannot watch \(path): the limit on inotify watches is reached",
            hint: "raise it with: sysctl fs.inotify.max_user_watches=1048576",
            errno: ENOSPC)
    }

    /// The user's inotify instances are used up.
    static func instancesExhausted() -> SystemdError {
        SystemdError(
            code: .watchLimit,
            message: "cannot watch files: the limit on inotify instances is reached",
            hint: "raise it with: sysctl fs.inotify.max_user_instances=1024",
            errno: EMFILE)
    }

    /// The named credential exists, and cannot be used.
    static func credential(_ name: String, largerThan maximum: Int) -> SystemdError {
        SystemdError(
            code: .credential,
            message: "the credential \(name) is larger than \(maximum) bytes",
            hint: "check the file that LoadCredential= of the unit names",
            errno: EFBIG)
    }

    /// A credential's name would leave the directory of credentials.
    static func credentialName(_ name: String) -> SystemdError {
        SystemdError(
            code: .credential,
            message: "\(name.debugDescription) is not the name of a credential",
            hint: "use a plain file name, as in LoadCredential=NAME:PATH",
            errno: EINVAL)
    }

    /// A journal match on a field that no journal entry can have.
    static func field(_ name: String) -> SystemdError {
        SystemdError(
            code: .field,
            message: "\(name.debugDescription) is not the name of a journal field",
            hint: "use A-Z, 0-9 and _, at most 64 characters",
            errno: EINVAL)
    }

    private static func hint(for errno: Int32) -> String {
        switch errno {
        case EACCES, EPERM: "check the permissions and the sandbox of the unit"
        case ENOENT: "check that the path exists"
        case ENOMEM, EAGAIN: "the machine or the unit's MemoryMax= or TasksMax= is exhausted; try again"
        default: "see errno \(errno) in errno(3)"
        }
    }

    /// The C library's words for an error number.
    static func text(of errno: Int32) -> String {
        // The function is thread safe and returns a constant of the C library, or NULL for an unknown number.
        guard let words = unsafe keyvigil_error_text(errno) else { return "errno \(errno)" }
        return unsafe String(cString: words)
    }
}
