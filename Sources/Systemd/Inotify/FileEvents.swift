import CLinux

/// Events on a watched file, or on an entry of a watched directory: inotify(7).
package struct FileEvents: OptionSet, Hashable, Sendable {
    /// The kernel's mask.
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The file was written to or truncated.
    package static let modified = FileEvents(rawValue: UInt32(IN_MODIFY))
    /// Permissions, owner, times or the number of links changed.
    package static let attributes = FileEvents(rawValue: UInt32(IN_ATTRIB))
    /// A file that was open for writing was closed.
    package static let closedAfterWrite = FileEvents(rawValue: UInt32(IN_CLOSE_WRITE))
    /// An entry was created in the directory.
    package static let created = FileEvents(rawValue: UInt32(IN_CREATE))
    /// An entry was removed from the directory.
    package static let deleted = FileEvents(rawValue: UInt32(IN_DELETE))
    /// An entry was renamed from a name in the directory.
    package static let movedFrom = FileEvents(rawValue: UInt32(IN_MOVED_FROM))
    /// An entry was renamed to a name in the directory.
    package static let movedTo = FileEvents(rawValue: UInt32(IN_MOVED_TO))
    /// The watched file or directory itself was removed.
    package static let removedItself = FileEvents(rawValue: UInt32(IN_DELETE_SELF))
    /// The watched file or directory itself was renamed.
    package static let movedItself = FileEvents(rawValue: UInt32(IN_MOVE_SELF))

    /// Changes of the content of a file.
    package static let content: FileEvents = [.modified, .closedAfterWrite]
    /// Changes of the entries of a directory.
    package static let directory: FileEvents = [.created, .deleted, .movedFrom, .movedTo]
}
