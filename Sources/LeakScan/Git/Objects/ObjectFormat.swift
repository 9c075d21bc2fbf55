/// The hash function of a repository's object ids (git-config(1), `extensions.objectFormat`).
package enum ObjectFormat: String, Sendable, Hashable {
    case sha1, sha256

    /// The length of an object id in bytes.
    package var idLength: Int { self == .sha1 ? 20 : 32 }

    /// The tree without entries, which git has without a file.
    var emptyTree: ObjectID? {
        let name =
            self == .sha1
            ? "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
            : "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"
        return ObjectID(hex: Array(name.utf8))
    }
}
