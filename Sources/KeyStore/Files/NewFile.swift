internal import Glibc
internal import Keys
internal import SystemPackage

/// A file in the making. It is made whole under a passing name, the path with `.part` after it, and then gets its own: no one
/// ever reads a part of it.
///
/// A lock (flock(2)), which the kernel releases however the process ends, tells a file in the making from one that a process
/// that was killed has left. The next one removes that.
struct NewFile: ~Copyable {
    /// The passing name.
    let path: String
    /// Open for reading and writing.
    let file: FileDescriptor
    private let target: String
    private let owner: DirectoryOwner

    private static let ending = ".part"

    /// The files that a path may be of: itself, and the one that it becomes if it is a passing name.
    static func targets(of path: String) -> [String] {
        path.hasSuffix(ending) ? [path, String(path.dropLast(ending.count))] : [path]
    }

    /// The endings of the files that SQLite makes beside a database.
    private static let companions = ["-wal", "-shm", "-journal"]

    /// Makes an empty file that only its owner, who is that of the directory, can read.
    ///
    /// - Parameter patience: how long to wait for another process that makes the same file, in seconds.
    /// - Throws: ``InputError`` for a directory that is not its owner's alone; `Errno`, `resourceTemporarilyUnavailable` where
    ///   another process makes the file, `fileExists` where something else has the passing name.
    init(for target: String, patience: Double = 0) throws {
        let (path, owner) = (target + Self.ending, try DirectoryOwner(ofFile: target))
        file = try owner.act { try Self.make(path, owner, attempts: Int(patience * 1e6) / Int(Self.pause) + 3) }
        self.path = path
        self.target = target
        self.owner = owner
    }

    /// Between two looks at whether the other process is done, in microseconds.
    private static let pause: UInt32 = 20_000

    private static func make(_ path: String, _ owner: DirectoryOwner, attempts: Int) throws(Errno) -> FileDescriptor {
        var failure = Errno.fileExists
        for attempt in 1...attempts {
            do {
                let file = try PrivateFile.create(path)
                if try lock(file, path) { return file }
            } catch Errno.fileExists {
                if try !removeAbandoned(path, owner) {
                    failure = .resourceTemporarilyUnavailable
                    if attempt < attempts - 2 { usleep(pause) }
                }
            }
        }
        throw failure
    }

    /// Locks a file, and says whether it still has its name: another process may have taken it for one that was left.
    private static func lock(_ file: FileDescriptor, _ path: String) throws(Errno) -> Bool {
        let isLocked = flock(file.rawValue, LOCK_EX | LOCK_NB) == 0
        guard isLocked, let named = try? FileStatus(of: path), named.isSameFile(as: try FileStatus(of: file)) else {
            try? file.close()
            return false
        }
        return true
    }

    /// Removes what a process that has ended has left at the passing name.
    ///
    /// - Returns: false where a process is at work on it.
    /// - Throws: `Errno.fileExists` for what no process of this program has left.
    private static func removeAbandoned(_ path: String, _ owner: DirectoryOwner) throws(Errno) -> Bool {
        let file: FileDescriptor
        do { file = try PrivateFile.open(path, followingSymlinks: false) } catch .noSuchFileOrDirectory {
            return true
        } catch { throw .fileExists }
        defer { try? file.close() }
        let status = try FileStatus(of: file)
        guard status.owner == owner.id, !status.isExposed else { throw .fileExists }
        guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else { return false }
        if let named = try? FileStatus(of: path), named.isSameFile(as: status) { remove(path) }
        return true
    }

    private static func remove(_ path: String) {
        for suffix in [""] + companions { PrivateFile.remove(path + suffix) }
    }

    /// Gives the file its name, which is on the disk then.
    ///
    /// - Throws: `Errno`; `fileExists` where something has that name: it is not replaced.
    consuming func publish() throws {
        try owner.act {
            // A rename would replace what is there.
            try PrivateFile.link(path, to: target)
            PrivateFile.remove(path)
            try PrivateFile.syncName(of: target)
        }
    }

    /// Gives the file its name, in place of the file that has it, which is on the disk then.
    consuming func replace() throws {
        try owner.act {
            try PrivateFile.replace(target, with: path)
            try PrivateFile.syncName(of: target)
        }
    }

    deinit {
        owner.act {
            if let named = try? FileStatus(of: path), let mine = try? FileStatus(of: file), named.isSameFile(as: mine) {
                Self.remove(path)
            }
        }
        try? file.close()
    }
}
