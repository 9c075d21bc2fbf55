internal import Foundation
internal import Keys
internal import SystemPackage

/// The file system's side of a store: what is checked before SQLite touches the file.
enum StoreFile {
    /// Written into the header of each store (`PRAGMA application_id`): "KVGL".
    static let applicationID: Int32 = 0x4B56_474C

    enum State: Equatable {
        case absent
        /// Made, but nothing was written yet: an earlier first start was cut off.
        case empty
        case store
    }

    /// Looks at a file without changing it.
    ///
    /// - Throws: ``StoreError`` for a file that is no store, or that others than its owner can read.
    static func inspect(_ path: String) throws -> State {
        let attributes: [FileAttributeKey: Any]
        do {
            attributes = try FileManager.default.attributesOfItem(atPath: path)
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
            return .absent
        } catch {
            throw StoreError(
                .permission, "\(path) cannot be looked at: \(reason(error))",
                hint: PrivateFile.accessHint(path))
        }
        guard attributes[.type] as? FileAttributeType == .typeRegular else { throw StoreError.notAStore(path) }
        try requirePrivate(path, attributes)
        if (attributes[.size] as? NSNumber)?.int64Value == 0 { return .empty }
        try requireHeader(path)
        return .store
    }

    /// Makes an empty file that only its owner can read.
    static func create(_ path: String) throws {
        do {
            let file = try FileDescriptor.open(
                FilePath(path), .writeOnly, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
            try file.close()
            try PrivateFile.syncName(of: path)
        } catch Errno.fileExists {
            return  // Another program was first, which is as good.
        } catch Errno.noSuchFileOrDirectory {
            throw StoreError(
                .permission, "the directory of \(path) does not exist",
                hint:
                    "make it: install -d -m 0700 -o keyvigil -g keyvigil \((path as NSString).deletingLastPathComponent)"
            )
        } catch {
            throw StoreError(
                .permission, "\(path) cannot be made: \(reason(error))",
                hint: PrivateFile.accessHint(path))
        }
        PrivateFile.adoptOwner(path)
    }

    /// Refuses a file whose group or others may read or write it.
    static func requirePrivate(_ path: String, _ attributes: [FileAttributeKey: Any]) throws {
        guard !PrivateFile.isExposed(attributes) else { throw StoreError.exposed(path, command: "chmod 600 \(path)") }
    }

    private static func requireHeader(_ path: String) throws {
        let header = try header(path)
        guard isStore(header) else { throw StoreError.notAStore(path) }
    }

    /// Whether a header is that of a store (sqlite.org/fileformat2.html, section 1.3): magic, and the application id at 68.
    static func isStore(_ header: [UInt8]) -> Bool {
        guard header.count == 100, header.starts(with: Array("SQLite format 3\0".utf8)) else { return false }
        return header[68..<72].reduce(Int32(0)) { $0 << 8 | Int32($1) } == applicationID
    }

    /// Refuses a write-ahead log that belongs to another file: SQLite would mix both. A backup is all in one file and says
    /// in its header that it has no log, so a log beside it is that of the store over which it was copied.
    ///
    /// The header's bytes 18 and 19 are 2 in a file that has a log (sqlite.org/fileformat2.html, section 1.3).
    static func requireOwnLog(_ path: String) throws {
        guard hasLog(path), try header(path)[18..<20] == [1, 1] else { return }
        throw StoreError(
            .foreignLog, "\(path)-wal belongs to another file than \(path): a backup was copied over the store",
            hint: "take the file into use as a backup: systemctl stop keyvigil; keyvigil restore \(path)")
    }

    /// Whether there is a write-ahead log with anything in it.
    static func hasLog(_ path: String) -> Bool {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path + "-wal")
        return (attributes?[.size] as? NSNumber)?.int64Value ?? 0 > 0
    }

    /// The first 100 bytes of a file; fewer where it is shorter.
    ///
    /// - Throws: ``StoreError`` for a file that is not there or cannot be read.
    static func header(_ path: String) throws -> [UInt8] {
        do {
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            defer { try? file.close() }
            return try file.read(upToCount: 100).map(Array.init) ?? []
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile || error.code == .fileNoSuchFile {
            throw StoreError(.noStore, "there is no file \(path)", hint: "check the path, and that its disk is mounted")
        } catch {
            throw StoreError(
                .permission, "\(path) cannot be read: \(reason(error))",
                hint: PrivateFile.accessHint(path))
        }
    }

    private static func reason(_ error: any Error) -> String {
        if let errno = error as? Errno { return errno.description.lowercased() }
        return (error as NSError).localizedDescription
    }
}
