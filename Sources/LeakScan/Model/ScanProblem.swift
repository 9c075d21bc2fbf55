package import SystemPackage

/// Something that a scan could not read, or that is relevant before a result is called clean.
package struct ScanProblem: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A repository in a format that is not supported. Its history was not searched.
        case unscannable
        /// A pack, or its index, is damaged, or a pack has no index.
        case damagedPack
        /// An object cannot be read: damaged, or its base is missing.
        case damagedObject
        /// An object or file exceeds the limits and was not searched to its end.
        case tooLarge
        /// Missing permission, or a disk error.
        case unreadable
        /// Something that was listed is gone, usually after `git gc`; the next scan finds it at its new location.
        case vanished
        /// A file changed while it was read; it was searched and will be searched again.
        case changing
        /// History leads to objects that are not here, or parts of the repository are gone that say what history there is.
        case incomplete
        /// Objects are borrowed from a place that is gone or cannot be read.
        case alternate
        /// A watched place is empty.
        case empty
        /// A repository has lost folders that hold nothing, so that git does not open it. A notice.
        case layout
        /// The repository is a shallow clone: history before its borders is not here. A notice.
        case shallow
        /// The repository is a partial clone, without some objects. A notice.
        case partial
        /// A device, socket or pipe was skipped. A notice.
        case special
        /// Tables could not be moved to a file, so the scan used more memory than intended. A notice.
        case memory
        /// Something was found at more locations, or deeper in history, than are followed. A notice: all of it was searched.
        case untraced
        /// Archives that could not be unpacked, only searched as they are: encrypted, damaged or too large. A notice.
        case packed
    }

    package var kind: Kind
    /// The repository or directory.
    package var repository: FilePath
    /// The pack, object id or file.
    package var subject: String
    /// What happened, as a sentence without a full stop. It never contains content.
    package var detail: String

    package init(kind: Kind, repository: FilePath, subject: String, detail: String) {
        self.kind = kind
        self.repository = repository
        self.subject = subject
        self.detail = detail
    }

    /// What to do about it; nil where that depends on what is found out first.
    package var hint: String? {
        switch kind {
        case .incomplete:
            "git fsck --connectivity-only names what is missing; fetch it from a clone that has it, or restore it from a backup"
        case .alternate:
            "put the folder back, or let the account that scans enter it; the path is in objects/info/alternates"
        case .empty: "mount what belongs there, or take the place out of the configuration"
        default: nil
        }
    }

    /// Whether it says of something that it was not searched, though the result counts as complete.
    package var isLeftOut: Bool {
        switch kind {
        case .shallow, .partial, .packed: true
        default: false
        }
    }

    /// Whether the result is still complete despite of this.
    package var isNotice: Bool {
        switch kind {
        case .layout, .shallow, .partial, .special, .packed, .memory, .untraced: true
        default: false
        }
    }
}
