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
                hint: "run as root or as the user keyvigil: sudo -u keyvigil keyvigil …")
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
                hint: "run as root or as the user keyvigil: sudo -u keyvigil keyvigil …")
        }
        PrivateFile.adoptOwner(path)
    }

    /// Refuses a file whose group or others may read or write it.
    static func requirePrivate(_ path: String, _ attributes: [FileAttributeKey: Any]) throws {
        guard !PrivateFile.isExposed(attributes) else { throw StoreError.exposed(path, command: "chmod 600 \(path)") }
    }

    private static func requireHeader(_ path: String) throws {
        let header: [UInt8]
        do {
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            header = try file.read(upToCount: 100).map(Array.init) ?? []
            try file.close()
        } catch {
            throw StoreError(
                .permission, "\(path) cannot be read: \(reason(error))",
                hint: "run as root or as the user keyvigil: sudo -u keyvigil keyvigil …")
        }
        // The header of the format (sqlite.org/fileformat2.html, section 1.3): magic, and the application id at 68.
        guard header.count == 100, header.starts(with: Array("SQLite format 3\0".utf8)) else {
            throw StoreError.notAStore(path)
        }
        let id = header[68..<72].reduce(Int32(0)) { $0 << 8 | Int32($1) }
        guard id == applicationID else { throw StoreError.notAStore(path) }
    }

    private static func reason(_ error: any Error) -> String {
        if let errno = error as? Errno { return errno.description.lowercased() }
        return (error as NSError).localizedDescription
    }
}
