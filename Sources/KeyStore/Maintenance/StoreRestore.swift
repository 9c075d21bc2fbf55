internal import Errors
package import Keys
internal import SystemPackage

/// Puts a backup in the place of a store: checked first, and with what was there kept beside it.
///
/// No other program may use the store meanwhile; the caller sees to it that no daemon does.
package struct StoreRestore {
    private let store: String
    private let pepper: Pepper
    private let options: Store.Options

    /// What a restore has done.
    package struct Outcome: Sendable {
        /// Where the store that was there is now, with its `-wal` and `-shm` beside it; nil where there was none.
        package let previous: String?
        /// Why the store that was there could not be asked what has happened since the backup; nil where it could.
        package let unread: String?
        /// What came alive again; nil where the backup is as new as the store was.
        package let rollBack: RollBack?
        /// Whether the store is of a member of a fleet, which verifies nothing until it has heard from the fleet's database.
        package let isOfMember: Bool
    }

    package init(store: String, pepper: Pepper, options: Store.Options) {
        self.store = store
        self.pepper = pepper
        var options = options
        options.create = false
        self.options = options
    }

    /// Restores.
    ///
    /// - Parameters:
    ///   - backup: a file that `keyvigil backup` made, or another copy of a store; the store's own path where a backup was
    ///     copied over it. It is left as it is.
    ///   - now: names the files that are moved aside.
    /// - Throws: ``StoreError`` for a backup that is damaged, of another pepper, of a newer version or whose audit is broken,
    ///   and where the files cannot be moved; the store is then as it was.
    package func run(from backup: String, at now: Instant) throws -> Outcome {
        let copy = try copyWhole(backup)
        let membership = try check(copy.path, backup: backup, at: now)
        // The last look at what is there: its witness takes down what it has not seen.
        var unread: String?
        let isThere = PrivateFile.exists(store)
        if isThere {
            do { try Store(path: store, pepper: pepper, now: now, options: options).close() } catch {
                unread = (error as? any ExplainedError)?.message ?? "\(error)"
            }
        }
        let previous = try StoreFile.owner(of: store).act { try moveAside(at: now) }
        // The copy is older than what the fleet had said when it was last heard.
        membership.map { Lease($0.leasePath, bound: .zero).end() }
        do { try copy.publish() } catch { throw StoreError.unexpected(error, path: store) }
        let restored = try Store(path: store, pepper: pepper, now: now, options: options)
        defer { try? restored.close() }
        return Outcome(
            previous: isThere ? previous : nil, unread: unread, rollBack: restored.rollBack,
            isOfMember: membership != nil)
    }

    /// All of a backup in one new file beside the store. A log beside the backup belongs to it only where its header says that
    /// it has one.
    private func copyWhole(_ backup: String) throws -> NewFile {
        let header = try StoreFile.header(backup)
        guard StoreFile.isStore(header) else { throw StoreError.notAStore(backup) }
        let copy = try StoreFile.begin(store)
        if StoreFile.hasLogMode(header), StoreFile.hasLog(backup) {
            try StoreError.explaining(backup) {
                let source = try Connection(backup, .readOnly, patience: LockPatience(options.patience))
                try source.backUp(to: Connection(copy.path, .readWrite, patience: LockPatience(0)))
            }
            return copy
        }
        do {
            let source = try PrivateFile.open(backup, followingSymlinks: true)
            let file = copy.file
            try source.closeAfter { try PrivateFile.copy(source, to: file) }
        } catch {
            throw StoreError(
                .io, "\(backup) could not be copied: \(PrivateFile.reason(error))",
                hint: "make room where the store is, and check that the file can be read: df -h \(argument: store)")
        }
        return copy
    }

    /// - Returns: the membership of the backup's store in a fleet.
    private func check(_ copy: String, backup: String, at now: Instant) throws -> Membership? {
        var options = self.options
        options.keepsWitness = false
        do {
            let opened = try Store(path: copy, pepper: pepper, now: now, options: options)
            try opened.checkIntegrity()
            if case .broken(let event, let host, let reason) = try opened.checkAudit() {
                throw StoreError(
                    .damaged,
                    "the audit of the backup \(backup) is broken"
                        + (event.map { " at event \(AuditEvent.index(ofEvent: $0))" } ?? "")
                        + (host.map { " of \($0.isEmpty ? "the store before it was of a fleet" : $0)" } ?? "")
                        + ": \(reason)",
                    hint: "restore another backup; nothing was changed")
            }
            let membership = opened.membership
            try opened.close()
            return membership
        } catch let error as StoreError {
            // The copy has a passing name: the person knows the backup's.
            throw StoreError(
                error.code, error.message.replacing(copy, with: backup),
                hint: error.hint?.replacing(copy, with: backup))
        }
    }

    /// Moves the store with its log aside, the log first: what a crash leaves is a store without its log's last changes, or
    /// none, which the daemon refuses to replace by an empty one.
    private func moveAside(at now: Instant) throws -> String {
        let stamp = now.description.filter { $0.isNumber || $0 == "T" || $0 == "Z" }
        let target = "\(store).before-restore-\(stamp)"
        do {
            for suffix in StoreFile.logSuffixes + [""] where PrivateFile.exists(store + suffix) {
                try PrivateFile.rename(store + suffix, to: target + suffix)
            }
        } catch {
            throw StoreError(
                .permission, "the present store \(store) cannot be moved to \(target): \(PrivateFile.reason(error))",
                hint: "see what is there already: ls -la \(argument: target)*")
        }
        return target
    }
}
