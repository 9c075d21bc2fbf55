import SystemPackage

/// What keeps a scan from being made at all.
package struct LeakScanError: Error, Sendable, Equatable, CustomStringConvertible {
    enum Code: Sendable, Equatable {
        case missing
        case empty
        case unreadable
        case unscannable
        case unusableTerm
    }

    let code: Code
    /// What happened, lowercase, no full stop.
    package let message: String
    /// What to do about it.
    package let hint: String

    package var description: String { message }

    /// Nothing in this can be searched by this version; the place must not be called clean.
    package var isUnscannable: Bool { code == .unscannable }

    static func missing(_ path: FilePath) -> LeakScanError {
        LeakScanError(
            code: .missing, message: "there is nothing at \(path)",
            hint: "check the path in the list of watched repositories, or take it out")
    }

    /// A pattern of places that matches nothing.
    package static func unmatched(_ pattern: String) -> LeakScanError {
        LeakScanError(
            code: .missing, message: "nothing matches the pattern \(pattern)",
            hint: "check the pattern in the list of watched repositories, and that what it looks into is mounted")
    }

    /// A pattern of places of which a part cannot be looked into.
    package static func unreadablePattern(_ pattern: String, _ why: String) -> LeakScanError {
        LeakScanError(
            code: .unreadable, message: "it is not known what the pattern \(pattern) matches: \(why)",
            hint: "let the account that scans read that folder, e.g. with ReadOnlyPaths= in the unit or an ACL")
    }

    /// A watched place in which there is nothing at all.
    package static func empty(_ path: String) -> LeakScanError {
        LeakScanError(
            code: .empty, message: "\(path) is empty, so there is nothing to search",
            hint: "mount what belongs there, or take the place out of the configuration")
    }

    /// Whether there is nothing at the path.
    package var isMissing: Bool { code == .missing }

    static func special(_ path: FilePath) -> LeakScanError {
        LeakScanError(
            code: .missing, message: "\(path) is no file and no folder",
            hint: "devices, pipes and sockets are not read; give a repository, a folder or a file")
    }

    static func unreadableIndex(_ repository: FilePath, _ why: String) -> LeakScanError {
        LeakScanError(
            code: .unscannable, message: "cannot tell what is staged in \(repository): \(why)",
            hint: "let git write it again: git update-index --no-split-index; git read-tree HEAD if it is damaged")
    }

    static func unreadable(_ path: FilePath, _ errno: Errno) -> LeakScanError {
        LeakScanError(
            code: .unreadable, message: "cannot read \(path): \(errno)",
            hint: "let the account that scans read it, e.g. with ReadOnlyPaths= in the unit or an ACL")
    }

    static func unscannable(_ path: FilePath, _ why: String) -> LeakScanError {
        LeakScanError(
            code: .unscannable, message: "cannot scan the repository \(path): \(why)",
            hint: "it is not clean, it is unknown; watch a mirror of it in a format that is understood")
    }

    static func noRepository(_ path: FilePath) -> LeakScanError {
        LeakScanError(
            code: .missing, message: "there is no git repository at \(path)",
            hint: "run it in a working tree, or where git runs hooks; or give the repository's path")
    }

    static func unusableTerm(_ id: Int64, _ why: String) -> LeakScanError {
        LeakScanError(
            code: .unusableTerm, message: "the prefix with id \(id) cannot be searched for: \(why)",
            hint: "correct the prefix of that key, or delete the key")
    }
}
