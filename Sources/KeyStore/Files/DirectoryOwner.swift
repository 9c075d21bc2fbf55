internal import CLinux
internal import Errors
internal import Glibc
package import Keys
internal import SystemPackage

/// The user as whom root uses the files in a directory: its owner.
///
/// A directory's owner can put a symlink, or another file, at any name in it, at any moment: between any look at a path and its
/// use. Root that follows such a name gives away files which are none of the owner's. So root acts as the owner there: the
/// kernel then checks each access as if the owner had made it, and a new file is the owner's from its start.
///
/// Only the calling thread changes, and only for files (setfsuid(2)): what the process is allowed otherwise stays.
///
/// Unsafe: the list of groups in what was before is allocated by ``assume(_:_:)`` and freed by ``end(_:)``, once each.
package struct DirectoryOwner: Sendable {
    /// Nil where files are used as this process.
    private let user: (id: UInt32, group: UInt32)?

    /// For files that no directory holds, such as a database in memory.
    static let none = DirectoryOwner()

    private init() { user = nil }

    /// The owner of the directory of a file. A process that is not root acts as itself.
    ///
    /// - Throws: ``InputError`` where it is not certain whose files are used: others than its owner can write to the directory or,
    ///   for root, to one on the way to it, or several users own parts of the way. The message says what to do.
    package init(ofFile path: String) throws(InputError) {
        let directory = PrivateFile.directory(of: path)
        if (try? FileStatus(of: directory + "/."))?.isOpenDirectory == true { throw Self.open(directory) }
        guard geteuid() == 0 else {
            user = nil
            return
        }
        let way = PathOwners(to: directory)
        guard let owner = way.users.first else {
            if let open = way.openDirectory { throw Self.open(open) }
            user = nil
            return
        }
        guard way.users.count == 1, way.owner == owner else {
            let owners = (way.users.sorted().map(String.init) + (way.owner == 0 ? ["root"] : [])).joined(
                separator: " and ")
            throw InputError(
                "parts of the path to \(directory) belong to several users (\(owners)), who could put another directory in its place",
                hint: "use a directory for which all of the path belongs to root, or to root and one user")
        }
        // The group of root's directories is not lent.
        user = (owner, way.group == 0 ? Self.nobody : way.group)
        // Nothing of what is done later has to reckon with a refusal.
        guard let identity = unsafe Self.assume(owner, user?.group ?? Self.nobody) else {
            throw InputError(
                "\(directory) belongs to the user \(owner), as whom this process may not act",
                hint: "run as that user: setpriv --reuid=\(argument: String(owner)) --clear-groups keyvigil …")
        }
        unsafe Self.end(identity)
    }

    /// The id of the group that owns nothing (Linux, `/proc/sys/fs/overflowgid`).
    private static let nobody: UInt32 = 65_534

    /// The id of the user that files belong to which are made as the owner.
    var id: UInt32 { user?.id ?? geteuid() }

    /// Runs `body` while this thread uses files as the owner.
    package func act<Value: ~Copyable, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        guard let user else { return try body() }
        guard let identity = unsafe Self.assume(user.id, user.group) else {
            // A server that has given up being root since acts as itself.
            guard geteuid() != 0 else { fatalError("the kernel refuses what it has allowed: setfsuid(\(user.id))") }
            return try body()
        }
        defer { unsafe Self.end(identity) }
        return try body()
    }

    private static func assume(_ user: UInt32, _ group: UInt32) -> keyvigil_files_user? {
        var before = unsafe keyvigil_files_user()
        return unsafe keyvigil_use_files_as(user, group, &before) == 0 ? before : nil
    }

    private static func end(_ identity: keyvigil_files_user) {
        var before = unsafe identity
        // Going on as someone else would be worse than an end.
        guard unsafe keyvigil_use_files_as_before(&before) == 0 else {
            fatalError("setfsuid: the user before is refused")
        }
    }

    private static func open(_ directory: String) -> InputError {
        InputError(
            "others than its owner can put files in the place of those in \(directory)",
            hint: "close it to them: chmod go-w \(argument: directory)")
    }
}

/// Who could lead a path elsewhere: the owners of its directories and symlinks.
private struct PathOwners {
    /// Without root.
    private(set) var users: Set<UInt32> = []
    /// The owner and the group of the last directory.
    private(set) var owner: UInt32 = 0
    private(set) var group: UInt32 = 0
    /// The first directory, if any, that others than its owner can change.
    private(set) var openDirectory: String?

    /// - Parameter directory: looked at as it is written and, where symlinks are in it, as it is resolved.
    init(to directory: String) {
        let written = directory.hasPrefix("/") ? directory : Self.current + "/" + directory
        note(written)
        guard let resolved = unsafe realpath(written, nil) else { return }
        defer { unsafe free(resolved) }
        note(unsafe String(cString: resolved))
    }

    private mutating func note(_ path: String) {
        look(at: "/")
        var part = ""
        for name in path.utf8.split(separator: UInt8(ascii: "/")) {
            part += "/\(Substring(name))"
            look(at: part)
        }
    }

    private mutating func look(at part: String) {
        // A directory that does not exist has no owner, and no file that could be opened later.
        guard let status = try? FileStatus(of: part) else { return }
        if status.owner != 0 { users.insert(status.owner) }
        guard status.isDirectory else { return }
        owner = status.owner
        group = status.group
        if status.isOpenDirectory, openDirectory == nil { openDirectory = part }
    }

    private static var current: String {
        guard let path = unsafe getcwd(nil, 0) else { return "/" }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }
}
