package import SystemPackage

/// A registered prefix seen in a watched place: an owned record, without any byte of what follows the prefix.
package struct Occurrence: Sendable, Hashable {
    /// How sure a hit is.
    package enum Grade: Sendable, Hashable {
        /// The whole secret stands there; the id is what ``SecretRecognizer`` answered.
        case confirmed(secret: Int64)
        /// Only the prefix is known to stand there.
        case mention
    }

    /// What kind of thing holds the prefix.
    package enum Source: String, Sendable, Hashable, CaseIterable, BitwiseCopyable {
        /// A file of a repository's working tree.
        case worktree
        /// A file's content in the object database.
        case blob
        /// A commit object: message, author and committer lines, signature.
        case commit
        /// An annotated tag object.
        case tag
        /// A file's or folder's name in a tree object.
        case tree
        /// The name of a ref.
        case ref
        /// A file of the git directory itself: configuration, reflogs, hooks, messages.
        case gitdir
        /// A file outside of any repository.
        case file
        /// The name of a file or folder on disk.
        case name
    }

    /// Who wrote a commit (or tag), and when they say they did.
    package struct Author: Sendable, Hashable {
        /// `Name <mail>`, foreign text: control characters are the printer's to escape.
        package let name: String
        /// Seconds since 1970-01-01T00:00:00Z.
        package let unixSeconds: Int64
        /// Minutes east of UTC.
        package let offsetMinutes: Int

        package init(name: String, unixSeconds: Int64, offsetMinutes: Int) {
            self.name = name
            self.unixSeconds = unixSeconds
            self.offsetMinutes = offsetMinutes
        }
    }

    /// ``SearchTerm/id`` of the prefix.
    package var term: Int64
    package var grade: Grade
    /// How the prefix, and the secret if it is confirmed, are written there.
    package var form: Form
    package var source: Source
    /// The repository (its git directory's owner: the working tree's root, or the bare repository itself);
    /// for files outside of repositories the folder or file that was asked for.
    package var repository: FilePath
    /// The git object's id in hexadecimal; nil for files on disk and ref names.
    package var object: String?
    /// Where the prefix starts in the object or file (for `name`, `ref`: in the name), in bytes from 0.
    package var offset: UInt64
    /// The path in the working tree, in the commit's tree, or under the folder; for `ref` the ref's full
    /// name. Nil where none is known: dangling blobs, commits, tags.
    package var path: FilePath?
    /// The line and the column in characters, both from 1. Nil for binary places: trees and names.
    package var line: Int?
    package var column: Int?
    /// The first commit, in history order, whose tree holds the object under ``path``; the commit itself for
    /// `commit`; nil if no commit holds it.
    package var commit: String?
    /// It came in before the history that is here: no commit, and nobody, can be named.
    package var isBeforeHistory: Bool = false
    /// The author of ``commit``, or the tagger of a `tag`.
    package var author: Author?
    /// Whether a ref, HEAD, or a reflog still leads to the object. True for files on disk.
    package var isReachable: Bool
    /// Whether the commit that HEAD names still holds an object with this secret (or mention) under this
    /// path.
    package var isInHead: Bool
    /// How many distinct objects of this scan hold the same secret (or mention) under the same path.
    package var objectCount: Int
    /// The ids of those objects in hexadecimal, in byte order; none for files on disk, names and refs.
    package var objects: [String] = []
    /// Whether HEAD or a branch, or what no ref leads to yet, still holds an object with this secret (or mention) under this
    /// path. False for what is no blob.
    package var isAtTip: Bool = false
}
