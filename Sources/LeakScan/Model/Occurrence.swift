package import SystemPackage

/// An occurrence of a known prefix. It contains no byte of what follows the prefix.
package struct Occurrence: Sendable, Hashable {
    /// How certain an occurrence is.
    package enum Grade: Sendable, Hashable {
        /// The complete secret is present. The id is the answer of ``SecretRecognizer``.
        case confirmed(secret: Int64)
        /// Only the prefix is known to be present.
        case mention
    }

    /// The kind of object that contains the prefix.
    package enum Source: String, Sendable, Hashable, CaseIterable, BitwiseCopyable {
        /// A file of a repository's working tree.
        case worktree
        /// The content of a file in the object database.
        case blob
        /// A commit object: message, author and committer lines, signature.
        case commit
        /// An annotated tag object.
        case tag
        /// The name of a file or directory in a tree object.
        case tree
        /// The name of a ref.
        case ref
        /// A file of the git directory itself: configuration, reflogs, hooks, messages.
        case gitdir
        /// A file outside any repository.
        case file
        /// The name of a file or directory on disk.
        case name
        /// An entry of the journal.
        case journal
    }

    /// The author of a commit, or the tagger of a tag, with the claimed time.
    package struct Author: Sendable, Hashable {
        /// `Name <mail>`. This is foreign text: escape control characters when it is shown.
        package let name: String
        /// Seconds since 1970-01-01T00:00:00Z.
        package let unixSeconds: Int64
        /// Minutes east of UTC.
        package let offsetMinutes: Int
        /// When the commit was made, in seconds since 1970-01-01T00:00:00Z: one that is amended, rebased or applied from a patch keeps
        /// the time of its author. Of a tag the same as ``unixSeconds``.
        package var committedSeconds: Int64

        package init(name: String, unixSeconds: Int64, offsetMinutes: Int) {
            self.name = name
            self.unixSeconds = unixSeconds
            self.offsetMinutes = offsetMinutes
            committedSeconds = unixSeconds
        }
    }

    /// ``SearchTerm/id`` of the prefix.
    package var term: Int64
    package var grade: Grade
    /// The encoding of the prefix, and of the secret if it is confirmed.
    package var form: Form
    package var source: Source
    /// The repository: the root of the working tree, or the bare repository; for files outside repositories, the path
    /// that was requested.
    package var repository: FilePath
    /// The id of the git object in hexadecimal; the cursor of an entry of the journal; nil for files on disk and ref names.
    package var object: String?
    /// The offset of the prefix in the object or file (for `name` and `ref`, in the name), in bytes.
    package var offset: UInt64
    /// The path in the working tree, in the tree of the commit, or below the directory; for `ref`, the full name of the
    /// ref; for `journal`, the unit that has logged the entry. Nil if there is none: dangling blobs, commits, tags.
    package var path: FilePath?
    /// The line and the column in characters, both from 1. Nil for binary places: trees and names.
    package var line: Int?
    package var column: Int?
    /// The first commit, in history order, whose tree contains the object at ``path``; for `commit`, the commit itself;
    /// nil if no commit contains it.
    package var commit: String?
    /// It came in before the history that is here: no commit, and no author, can be named.
    package var isBeforeHistory: Bool = false
    /// The author of ``commit``, or the tagger of a `tag`.
    package var author: Author?
    /// Whether the object is reachable from a ref, HEAD or a reflog. True for files on disk.
    package var isReachable: Bool
    /// Whether the commit of HEAD contains an object with this secret (or mention) at this path.
    package var isInHead: Bool
    /// The number of distinct objects in this scan that contain the same secret (or mention) at the same path.
    package var objectCount: Int
    /// The ids of those objects in hexadecimal, in byte order; empty for files on disk, names and refs.
    package var objects: [String] = []
    /// Whether HEAD, a branch, or a commit to which no ref points yet contains an object with this secret (or mention)
    /// at this path. False for anything but a blob.
    package var isAtTip: Bool = false
}
