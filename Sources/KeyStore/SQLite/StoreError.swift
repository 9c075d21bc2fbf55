internal import CSQLite
package import Errors
internal import Keys

/// Why the store could not do what it was asked. Nothing has been changed when one is thrown.
package struct StoreError: ExplainedError, Equatable {
    /// What kind of trouble it is, for code that reacts to it.
    package enum Code: Hashable, Sendable {
        case noStore, foreignLog, notAStore, newerVersion, damaged, permission, exposed, busy, full, readOnly, io
        case wrongPepper, noPepper, tampered
        case noSuchKey, ambiguous, duplicateName, refused
        /// The fleet's database does not answer, or its last sign of life is too long ago.
        case unreachable, stale
        /// This host is no longer a member of the fleet; another machine is this host; an older state of the fleet's database is in its
        /// place.
        case removed, duplicate, rolledBack
    }

    package let code: Code
    package let message: String
    package let hint: String?
    package let origin: ErrorOrigin?

    package init(_ code: Code, _ message: String, hint: String? = nil, file: StaticString = #fileID, line: UInt = #line)
    {
        self.code = code
        self.message = message
        self.hint = hint
        origin = ErrorOrigin(file: file, line: line)
    }
}

extension StoreError {
    static func notAStore(_ path: String) -> StoreError {
        StoreError(
            .notAStore, "\(path) is not a Keyvigil store",
            hint: "check the path of the store in the configuration; the file was left as it is")
    }

    static func newerVersion(_ path: String) -> StoreError {
        StoreError(
            .newerVersion, "\(path) was written by a newer version of Keyvigil",
            hint: "install that version or a later one; the file was left as it is")
    }

    static func olderVersion(_ path: String) -> StoreError {
        StoreError(
            .readOnly, "\(path) was written by an older version of Keyvigil, and is only read here",
            hint: "start the service, which brings it up to date: systemctl start keyvigil")
    }

    static func damaged(_ path: String, _ detail: String) -> StoreError {
        StoreError(
            .damaged, "the store \(path) is damaged: \(detail)",
            hint: "stop the service: systemctl stop 'keyvigil*'; keep a copy of the file; then put the latest backup "
                + "in its place: keyvigil restore FILE")
    }

    static func exposed(_ path: String, command: String) -> StoreError {
        StoreError(.exposed, "\(path) can be read or written by others than its owner", hint: "run: \(command)")
    }

    static func noSuchKey(_ selector: String, nearest: String?) -> StoreError {
        let shown = DisplayText.betweenQuotes(selector, limit: 64)
        if KeyID.isTooShort(selector) {
            return StoreError(
                .noSuchKey, "'\(shown)' is too short for an id",
                hint: "give at least \(KeyID.shortestStart) characters of it; keyvigil list shows all keys")
        }
        return StoreError(
            .noSuchKey, "there is no key '\(shown)'",
            hint: nearest.map { "did you mean \(DisplayText.quoted($0))?" } ?? "keyvigil list shows all keys")
    }

    static func ambiguous(_ selector: String, _ keys: [Key]) -> StoreError {
        let names = keys.map { "\(DisplayText.quoted($0.name, limit: 64)) (\($0.id))" }
        return StoreError(
            .ambiguous,
            "\(DisplayText.quoted(selector, limit: 64)) could be any of \(names.joined(separator: ", "))",
            hint: "give the whole id" + (keys.first.map { ": keyvigil show \($0.id)" } ?? ""))
    }

    static func duplicateName(_ name: String, id: String, isRevoked: Bool) -> StoreError {
        StoreError(
            .duplicateName, "a key named \(DisplayText.quoted(name)) already exists (\(id))",
            hint: isRevoked
                ? "choose another name, or delete that key, which is revoked: keyvigil delete \(id)"
                : "choose another name, or rotate that key: keyvigil rotate \(id)")
    }

    /// - Parameter holder: of the prefix, in words.
    static func nameIsPrefix(_ name: String, of holder: String) -> StoreError {
        StoreError.refused(
            "the name \(DisplayText.quoted(name)) is the visible prefix of \(holder)",
            hint: "choose another; a column may have slipped in an import")
    }

    private static func readOnly(_ path: String) -> StoreError {
        StoreError(
            .readOnly, "the store \(path) cannot be written",
            hint: "check its owner and permissions, and that the file system is not read-only")
    }

    private static func readOnlyFileSystem(_ path: String) -> StoreError {
        StoreError(
            .readOnly, "the file system of the store \(path) is read-only",
            hint:
                "find out why: journalctl -k -p warning -n 50; findmnt -T \(argument: path); then, if it or the disk failed: "
                + "systemctl stop 'keyvigil*', umount, fsck, mount, systemctl start keyvigil")
    }

    private static func full(_ path: String) -> StoreError {
        StoreError(.full, "the disk that holds \(path) is full", hint: "make room and try again")
    }

    static func refused(_ message: String, hint: String) -> StoreError {
        StoreError(.refused, message, hint: hint)
    }

    /// What SQLite reports, in words for a person. SQL and its values are left out.
    static func from(_ error: SQLiteError, path: String) -> StoreError {
        // Even readers keep an index of the write-ahead log beside the store; and what has been open since the file
        // system could be written fails at writing.
        let mayBeReadOnly = [SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_IOERR].contains(error.primaryCode)
        if mayBeReadOnly, PrivateFile.isOnReadOnlyFileSystem(path) { return readOnlyFileSystem(path) }
        switch error.primaryCode {
        case SQLITE_NOTADB: return notAStore(path)
        case SQLITE_CORRUPT:
            let isOurs = error.message != "database disk image is malformed"
            return damaged(path, isOurs ? error.message : "a page of it is not as SQLite writes it")
        case SQLITE_BUSY, SQLITE_LOCKED:
            return StoreError(
                .busy, "the store \(path) is locked by another program",
                hint: "try again; if it stays locked, find who holds it: fuser \(argument: path)")
        case SQLITE_FULL: return full(path)
        // The index of the write-ahead log could not be made or grow, which readers need too.
        case SQLITE_IOERR where error.code == keyvigil_sqlite_ioerr_shmsize: return full(path)
        case SQLITE_READONLY: return readOnly(path)
        // What people enter is checked before; this would be a value that was not.
        case SQLITE_CONSTRAINT:
            return refused(
                "the store takes no such value: \(error.message)",
                hint: "please report this with what was entered: it is a fault of keyvigil")
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH:
            return StoreError(
                .permission, "the store \(path) cannot be opened",
                hint: PrivateFile.accessHint(path))
        default:
            return StoreError(
                .io, "the store \(path) failed: \(error.message)",
                hint: "look at the disk's health: journalctl -k -p err")
        }
    }

    /// Runs `body`, and puts what SQLite reports into words.
    static func explaining<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as SQLiteError { throw from(error, path: path) }
    }
}

extension StoreError {
    /// An error that no other case tells of.
    static func unexpected(_ error: any Error, path: String) -> StoreError {
        StoreError(.io, "the store \(path) failed: \(error)", hint: "look at the disk's health: journalctl -k -p err")
    }
}
