internal import Errors
internal import Keys
internal import SystemPackage

/// The file system's side of a store: what is checked before SQLite touches the file.
enum StoreFile {
    /// Written into the header of each store (`PRAGMA application_id`): "KVGL".
    static let applicationID: Int32 = 0x4B56_474C

    /// The endings of the files that belong to a SQLite file: its write-ahead log and the index of that.
    static let logSuffixes = ["-wal", "-shm"]

    enum State: Equatable {
        case absent
        /// Made, but nothing was written yet: an earlier first start was cut off.
        case empty
        /// - Parameter hasLog: whether it has a write-ahead log, as every store has that is in use, and no backup has.
        case store(hasLog: Bool)

        var isStore: Bool { if case .store = self { true } else { false } }
    }

    /// Looks at a file without changing it.
    ///
    /// - Throws: ``StoreError`` for a file that is no store, that others than its owner can read or replace, or that
    ///   is another user's.
    static func inspect(_ path: String) throws -> State {
        let owner = try owner(of: path)
        return try owner.act {
            try requireOwnFiles(path, of: owner.id)
            return try inspectAsOwner(path)
        }
    }

    /// Refuses files that another user has put in the place of a store's: in a directory with a sticky bit, such as `/tmp`,
    /// anyone can.
    private static func requireOwnFiles(_ path: String, of user: UInt32) throws(StoreError) {
        for file in (["", "-journal"] + logSuffixes).map({ path + $0 }) {
            guard let status = try? FileStatus(of: file) else { continue }
            guard status.isRegularFile || file == path else {
                throw StoreError(
                    .permission, "\(file) is no file, and was put there by another program",
                    hint: "see what it is, and move it away: ls -ld \(argument: file)")
            }
            guard status.owner != 0, status.owner != user else { continue }
            throw StoreError(
                .permission, "\(file) belongs to another user (\(status.owner)) than the store's (\(user))",
                hint:
                    "keep a store in a directory of its own: install -d -m 0700 -o keyvigil -g keyvigil /var/lib/keyvigil"
            )
        }
    }

    /// As whom the files of a store are used.
    ///
    /// - Throws: ``StoreError`` where others than the owner can put files into the directory.
    static func owner(of path: String) throws(StoreError) -> DirectoryOwner {
        do throws(InputError) {
            return try DirectoryOwner(ofFile: path)
        } catch { throw StoreError(.exposed, error.message, hint: error.hint) }
    }

    private static func inspectAsOwner(_ path: String) throws -> State {
        let status: FileStatus
        do { status = try FileStatus(of: path) } catch Errno.noSuchFileOrDirectory {
            return .absent
        } catch {
            throw StoreError(
                .permission, "\(path) cannot be read: \(PrivateFile.reason(error))",
                hint: PrivateFile.accessHint(path))
        }
        if status.isSymbolicLink {
            throw StoreError(
                .notAStore, "\(path) is a symbolic link, which is not followed to a store",
                hint: "name the file that it leads to: readlink -f \(argument: path)")
        }
        guard status.isRegularFile else { throw StoreError.notAStore(path) }
        guard !status.isExposed else { throw StoreError.exposed(path, command: "chmod 600 \(argument: path)") }
        if status.size == 0 { return .empty }
        let header = try header(path)
        guard isStore(header) else { throw StoreError.notAStore(path) }
        return .store(hasLog: hasLogMode(header))
    }

    /// Makes an empty file that only its owner can read.
    static func create(_ path: String) throws {
        do {
            try owner(of: path).act {
                try PrivateFile.create(path).close()
                try PrivateFile.syncName(of: path)
            }
        } catch let error as StoreError {
            throw error
        } catch Errno.fileExists {
            return  // Another program was first, which is as good.
        } catch Errno.noSuchFileOrDirectory {
            throw StoreError(
                .permission, "the directory of \(path) does not exist",
                hint: "make it: install -d -m 0700 -o keyvigil -g keyvigil \(argument: PrivateFile.directory(of: path))"
            )
        } catch {
            throw StoreError(
                .permission, "\(path) cannot be made: \(PrivateFile.reason(error))",
                hint: PrivateFile.accessHint(path))
        }
    }

    /// Begins a copy of a store, which gets its name when it is whole.
    ///
    /// - Throws: ``StoreError`` where it cannot be made.
    static func begin(_ target: String) throws -> NewFile {
        do { return try NewFile(for: target) } catch Errno.resourceTemporarilyUnavailable {
            throw StoreError(
                .refused, "another keyvigil is making \(target) at this moment",
                hint: "wait until it is done, and try again")
        } catch Errno.fileExists {
            throw StoreError(
                .refused, "\(target).part is in the way, and was not left by keyvigil",
                hint: "see what it is, and move it away: ls -l \(argument: target + ".part")")
        } catch let error as InputError {
            throw StoreError(.exposed, error.message, hint: error.hint)
        } catch {
            throw StoreError(
                .permission, "\(target) cannot be made: \(PrivateFile.reason(error))",
                hint:
                    "it needs a directory that exists and that you may write: ls -ld \(argument: PrivateFile.directory(of: target))"
            )
        }
    }

    /// Whether a header is that of a store (sqlite.org/fileformat2.html, section 1.3): magic, and the application id at 68.
    static func isStore(_ header: [UInt8]) -> Bool {
        guard header.count == 100, header.starts(with: "SQLite format 3\0".utf8) else { return false }
        return header[68..<72].reduce(Int32(0)) { $0 << 8 | Int32($1) } == applicationID
    }

    /// Whether a header says that the file has a write-ahead log, as a backup has none (section 1.3: bytes 18 and 19 are 2).
    static func hasLogMode(_ header: [UInt8]) -> Bool { header.count == 100 && header[18] == 2 }

    /// Refuses a write-ahead log that belongs to another file: SQLite would mix both. A backup is all in one file and says
    /// in its header that it has no log, so a log beside it is that of the store over which it was copied.
    static func requireOwnLog(_ path: String) throws {
        guard hasLog(path), try header(path)[18..<20] == [1, 1] else { return }
        throw StoreError(
            .foreignLog, "\(path)-wal belongs to another file than \(path): a backup was copied over the store",
            hint: "take the file into use as a backup: systemctl stop 'keyvigil*'; keyvigil restore \(argument: path)")
    }

    /// Whether there is a write-ahead log with anything in it.
    static func hasLog(_ path: String) -> Bool {
        (try? FileStatus(of: path + "-wal")).map { $0.size > 0 } ?? false
    }

    /// The first 100 bytes of a file; fewer where it is shorter.
    ///
    /// - Throws: ``StoreError`` for a file that is not there or cannot be read.
    static func header(_ path: String) throws -> [UInt8] {
        do {
            let file = try PrivateFile.open(path, followingSymlinks: true)
            return try file.closeAfter {
                var header = [UInt8](repeating: 0, count: 100)
                let count = try unsafe header.withUnsafeMutableBytes { unsafe try file.read(into: $0) }
                return Array(header.prefix(count))
            }
        } catch Errno.noSuchFileOrDirectory {
            throw StoreError(.noStore, "there is no file \(path)", hint: "check the path, and that its disk is mounted")
        } catch {
            throw StoreError(
                .permission, "\(path) cannot be read: \(PrivateFile.reason(error))",
                hint: PrivateFile.accessHint(path))
        }
    }
}
