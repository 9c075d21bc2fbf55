package import Errors
import SystemPackage

/// An error that prevents a scan.
package struct LeakScanError: ExplainedError, Equatable {
    enum Code: Sendable, Equatable {
        case missing
        case empty
        case unreadable
        case unscannable
        case unusableTerm
        case stopped
    }

    let code: Code
    package let message: String
    package let remedy: String
    package let origin: ErrorOrigin?

    private init(
        code: Code, message: String, remedy: String, file: StaticString = #fileID, line: UInt = #line
    ) {
        self.code = code
        self.message = message
        self.remedy = remedy
        origin = ErrorOrigin(file: file, line: line)
    }

    package var hint: String? { remedy }

    /// Whether the path has a format that this version cannot search, so that it must not be called clean.
    package var isUnscannable: Bool { code == .unscannable }

    static func missing(_ path: FilePath) -> LeakScanError {
        LeakScanError(
            code: .missing, message: "there is nothing at \(PathText.quoted(path))",
            remedy: "check the path in the list of watched repositories, or take it out")
    }

    /// A pattern of paths that matches nothing.
    package static func unmatched(_ pattern: String) -> LeakScanError {
        LeakScanError(
            code: .missing, message: "nothing matches the pattern \(PathText.quoted(pattern))",
            remedy: "check the pattern in the list of watched repositories, and that the file system is mounted")
    }

    /// A pattern of places of which a part cannot be looked into.
    package static func unreadablePattern(_ pattern: String, _ why: String) -> LeakScanError {
        LeakScanError(
            code: .unreadable, message: "it is not known what the pattern \(PathText.quoted(pattern)) matches: \(why)",
            remedy: "let the user that scans read that folder: keyvigil check-config prints the command")
    }

    /// A watched place in which there is nothing at all.
    package static func empty(_ path: String) -> LeakScanError {
        LeakScanError(
            code: .empty, message: "\(PathText.quoted(path)) is empty, so there is nothing to search",
            remedy: "mount what belongs there, or take the place out of the configuration")
    }

    /// Whether there is nothing at the path.
    package var isMissing: Bool { code == .missing }

    /// The scan was stopped, or its turn was over, before everything was listed.
    static func stopped(_ path: FilePath) -> LeakScanError {
        LeakScanError(
            code: .stopped, message: "listing \(PathText.quoted(path)) was stopped",
            remedy: "scan it again")
    }

    /// Whether permission is missing, or a disk has failed.
    package var isUnreadable: Bool { code == .unreadable }

    /// Whether it was stopped, and nothing is wrong with it as far as that is known.
    package var isStopped: Bool { code == .stopped }

    static func special(_ path: FilePath) -> LeakScanError {
        LeakScanError(
            code: .missing, message: "\(PathText.quoted(path)) is neither a file nor a folder",
            remedy: "devices, pipes and sockets are not read; what comes through a pipe is: COMMAND | keyvigil scan -")
    }

    static func unreadableIndex(_ repository: FilePath, _ why: String) -> LeakScanError {
        LeakScanError(
            code: .unscannable, message: "cannot tell what is staged in \(PathText.quoted(repository)): \(why)",
            remedy: "write it again: git update-index --no-split-index; or, if it is damaged: git read-tree HEAD")
    }

    static func unreadable(_ path: FilePath, _ errno: Errno) -> LeakScanError {
        LeakScanError(
            code: .unreadable, message: "cannot read \(PathText.quoted(path)): \(errno)",
            remedy: "let the user that scans read it: setfacl -R -m u:keyvigil:rX \(argument: path.string)")
    }

    static func unscannable(_ path: FilePath, _ why: String) -> LeakScanError {
        LeakScanError(
            code: .unscannable, message: "cannot scan the repository \(PathText.quoted(path)): \(why)",
            remedy: "its content is unknown, not clean; watch a mirror of it in a supported format")
    }

    static func noRepository(_ path: FilePath) -> LeakScanError {
        LeakScanError(
            code: .missing, message: "there is no git repository at \(PathText.quoted(path))",
            remedy: "run it in a working tree or a git hook, or give the path of the repository")
    }

    static func unusableTerm(_ id: Int64, _ why: String) -> LeakScanError {
        LeakScanError(
            code: .unusableTerm, message: "the prefix with id \(id) cannot be searched for: \(why)",
            remedy: "correct the prefix of that key, or delete the key")
    }
}
