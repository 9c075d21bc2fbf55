/// A unit of input that is searched as a whole. Its content or its state identifies it, never its path alone.
package struct ScanUnit: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A pack: its trailing checksum, its size, and the checksum of its index.
        case pack
        /// A loose object: its id.
        case loose
        /// A repository's objects together, of which each names only what is there: sums over the names of all.
        case history
        /// A file on disk: device, inode, size, mtime and ctime with nanoseconds.
        case file
        /// A part of a file of the journal: the id of the file, and the number of the part.
        case journal
        /// An object that others in a repository name, and that is not there: device and inode of the object directory, and its
        /// id.
        case absent
        /// A pack or loose object that was searched with a problem. Each scan searches it, and reports the problem.
        case unsound
        /// A unit with archives that could be unpacked only in part, or not at all, when it was searched.
        case unopened

        /// Whether it is a part of the input, and not something that is known of the input.
        var isInput: Bool {
            switch self {
            case .pack, .loose, .file, .journal: true
            case .history, .absent, .unsound, .unopened: false
            }
        }
    }

    package let kind: Kind
    /// The identity in bytes, at most 72. Equal identities mean equal content.
    package let identity: [UInt8]
    /// For a pack or loose object in which something was found, the object directory that contains it, in 16 bytes;
    /// otherwise empty. A clean unit is clean in every repository; one with a finding has to be cleaned up in each
    /// repository that contains it.
    package let place: [UInt8]

    package init(kind: Kind, identity: [UInt8], place: [UInt8] = []) {
        self.kind = kind
        self.identity = identity
        self.place = place
    }

    /// The same unit, marked as one in which something was found.
    func found(in directory: InputFile.State) -> ScanUnit {
        ScanUnit(kind: kind, identity: identity, place: Self.place(of: directory))
    }

    /// A directory in 16 bytes.
    static func place(of directory: InputFile.State) -> [UInt8] {
        [directory.device, directory.inode].flatMap { number in
            (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
        }
    }

    /// As what it is remembered that a unit was searched with a problem.
    var unsound: ScanUnit { ScanUnit(kind: .unsound, identity: identity) }

    /// As what it is remembered that a unit has archives that were not unpacked completely.
    var unopened: ScanUnit { ScanUnit(kind: .unopened, identity: identity) }
}

/// The units that earlier scans have searched, so that a scan without new content costs little.
///
/// A unit that is done stays done because units are listed BEFORE the caller loads its terms. A key that is created
/// after the listing cannot be in content that was listed before the key existed, whatever date a commit claims; a key
/// created before it is among the terms. So a unit that is done has to be searched again only for keys from elsewhere
/// (imported) that were added after it was done; then the memory answers `false`. A file on disk counts as done only if
/// its state was the same after it was read, and its timestamps are old enough that a later write must change them.
package protocol ScanMemory: Sendable {
    /// For each of `units`, in order, whether it was already searched for every term of this scan.
    /// Called with batches of a few thousand units, on the thread that called ``Scanner/scan``.
    func areDone(_ units: [ScanUnit]) throws -> [Bool]

    /// The ids, in hexadecimal, of the blobs in which something was found. When new commits copy or move one of them,
    /// it is found at its new path, although its content is not read again. Called when a repository has new content.
    func blobsWithHits() throws -> [String]

    /// The identities of the units of a kind that begin with `start`, at most `most` of them.
    func identities(of kind: ScanUnit.Kind, startingWith start: [UInt8], most: Int) throws -> [[UInt8]]
}

extension ScanMemory {
    package func blobsWithHits() -> [String] { [] }
    package func identities(of kind: ScanUnit.Kind, startingWith start: [UInt8], most: Int) -> [[UInt8]] { [] }
}

/// A memory that is always empty: every scan reads everything.
package struct NoScanMemory: ScanMemory {
    package init() {}
    package func areDone(_ units: [ScanUnit]) -> [Bool] { .init(repeating: false, count: units.count) }
}

/// A batch of results: what was found, and which units were searched completely.
///
/// Store both in ONE transaction: the occurrences of a unit are in the same batch as the unit or in an earlier one.
/// After an interrupted scan, the next one continues with the units that were not delivered.
package struct ScanBatch: Sendable {
    package var occurrences: [Occurrence]
    package var done: [ScanUnit]
}
