/// The hash function of a repository's object ids (git-config(1), `extensions.objectFormat`).
package enum ObjectFormat: String, Sendable, Hashable {
    case sha1, sha256

    /// The length of an object id in bytes.
    package var idLength: Int { self == .sha1 ? 20 : 32 }
}
