internal import Keys

/// Checks the keys of an import, and changes nothing: each against the store, and against those before it.
package struct ImportCheck {
    private let store: Store
    private let now: Instant
    /// The line of each name, secret, prefix and sign-in that the import has. Texts are known by hashes of one length, so that
    /// millions of lines fit in memory.
    private var names: [UInt128: Int] = [:]
    private var secrets: [UInt128: Int] = [:]
    private var prefixes: [UInt128: Int] = [:]
    private var signIns: [SignIn: Int] = [:]
    /// The number of keys that can be imported.
    package private(set) var count = 0

    init(_ store: Store, at now: Instant) {
        self.store = store
        self.now = now
    }

    /// Checks a key.
    ///
    /// - Throws: ``StoreError`` for a name or a secret that the store has, or that an earlier line has.
    package mutating func add(_ new: NewKey, _ imported: consuming ImportedSecret, line: Int) throws {
        let (secret, now) = (try store.stored(imported), self.now)
        let spellings = NameRules.spellings(of: new.name)
        let (name, prefix) = (digest(spellings[1]), digest(secret.prefix))
        let hash = secret.digestHash.map { Self.short($0) }
        let isLive = new.kind == .apiKey && new.expiresAt.map { $0 > now } ?? true
        let signIn = isLive ? SignIn(prefix: secret.prefix, issuer: new.issuer, environment: new.environment) : nil
        try store.look { db in
            try Store.requireFreeName(new.name, db)
            try SecretTable.requireFree(secret, db)
            try signIn?.requireFree(db, at: now)
        }
        if let earlier = names[name] {
            throw StoreError(
                .duplicateName, "the name \(DisplayText.quoted(new.name)) is that of line \(earlier) already",
                hint: "give each key a name of its own")
        }
        if let earlier = prefixes[name] { throw StoreError.nameIsPrefix(new.name, of: "line \(earlier)") }
        if let hash, let earlier = secrets[hash] {
            throw StoreError.refused(
                "line \(earlier) has this very secret already",
                hint: "one secret is one key; leave one of the lines out")
        }
        if let signIn, let earlier = signIns[signIn] {
            throw signIn.taken(
                by: "in line \(earlier) already", hint: "a sign-in has one secret at a time; leave the earlier one out")
        }
        names[name] = line
        prefixes[prefix] = prefixes[prefix] ?? line
        if let hash { secrets[hash] = line }
        if let signIn { signIns[signIn] = line }
        count += 1
    }

    private func digest(_ text: String) -> UInt128 { Self.short(store.pepper.seal(Array(text.utf8))) }

    private static func short(_ hash: SecretHash) -> UInt128 {
        hash.bytes.prefix(16).reduce(0) { $0 << 8 | UInt128($1) }
    }
}
