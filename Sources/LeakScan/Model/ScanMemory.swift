/// A piece of input that is searched as a whole, and is named by its content or its state, never by its place
/// alone.
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
    }

    package let kind: Kind
    /// The name in bytes: at most 72. Equal bytes mean equal content.
    package let identity: [UInt8]
    /// Of a pack or loose object in which something was found: the object directory that it lies in, in 16 bytes. What is clean
    /// is so wherever it lies, and then this is empty; what is not is another place to clean in each repository that has it.
    package let place: [UInt8]

    package init(kind: Kind, identity: [UInt8], place: [UInt8] = []) {
        self.kind = kind
        self.identity = identity
        self.place = place
    }

    /// The same unit as one in which something was found.
    func found(in directory: InputFile.State) -> ScanUnit {
        let place = [directory.device, directory.inode].flatMap { number in
            (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
        }
        return ScanUnit(kind: kind, identity: identity, place: place)
    }
}

/// What earlier scans have read, so that a scan with nothing new costs next to nothing.
///
/// Why a unit that is done stays done: units are listed BEFORE the caller loads its terms. A key that was
/// made after the listing cannot stand in content that was listed before the key existed, whatever date a
/// commit claims; a key made before it is among the terms. So a remembered unit needs another look only for
/// keys that came from elsewhere (imported) after it was done: the memory answers `false` then. A file on
/// disk counts as done only if its state was unchanged after it was read, and was not so new that a later
/// write could hide behind the same timestamps.
package protocol ScanMemory: Sendable {
    /// For each of `units`, in order: was it searched already for every term of this scan?
    /// Called with batches of a few thousand, on the thread that called ``Scanner/scan``.
    func areDone(_ units: [ScanUnit]) throws -> [Bool]

    /// The blobs in which something was found, by their ids in hexadecimal: where new commits copy or move one, it is found
    /// at its new place, although nothing of it is read again. Called where something is new in a repository.
    func blobsWithHits() throws -> [String]
}

extension ScanMemory {
    package func blobsWithHits() -> [String] { [] }
}

/// Remembers nothing: every scan reads everything.
package struct NoScanMemory: ScanMemory {
    package init() {}
    package func areDone(_ units: [ScanUnit]) -> [Bool] { .init(repeating: false, count: units.count) }
}

/// A step of a scan: what was found, and which units have been read through.
///
/// Store both in ONE transaction: the occurrences of a unit are always in the same batch as the unit, or in
/// an earlier one. A scan that stops anywhere goes on with the units that were not delivered.
package struct ScanBatch: Sendable {
    package var occurrences: [Occurrence]
    package var done: [ScanUnit]
}
