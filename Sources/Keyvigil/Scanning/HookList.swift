internal import Errors
internal import KeyStore
internal import Keys
internal import LeakScan
internal import Synchronization

/// What hooks get of a store that they may not read: enough to recognise a secret, not to learn one. It is a file that an
/// administrator exports, or comes from the daemon, which then is asked about each candidate.
///
/// Lines of words: the version, the keys of the digests (one for each pepper of the store), the starts of prefixes with the
/// lengths of their secrets (0: not known), and in a file the digests of secrets with the lengths of their prefixes; and what
/// ``HookForms`` has to say of secrets that belong to no key.
final class HookList: SecretRecognizer {
    static let standardPath = "/etc/keyvigil/hook-list"
    private static let title = "keyvigil-hook-list 1"
    /// Of a list with several keys, which a program that looks for one refuses.
    private static let titleWithKeys = "keyvigil-hook-list 2"
    /// Of a list with forms, which a program that knows of none refuses.
    private static let titleWithForms = "keyvigil-hook-list 3"
    /// The number of bytes of a prefix that the list shows.
    static let startLength = 8
    /// The number of bytes of a hash that it shows.
    static let digestLength = 5

    let path: String
    private let keys: [[UInt8]]
    /// Of each start the lengths of its secrets.
    private let starts: [[UInt8]: Set<Int>]
    /// Of each digest the length of the prefix.
    private let digests: [[UInt8]: Int]
    let forms: HookForms
    /// Nil for a file.
    private let daemon: HookQuestions?
    /// What was recognised, by its number from 1 on.
    private let recognized = Mutex<[Recognized]>([])
    /// Whether secrets that belong to no key are recognised.
    private let seeksForms = Mutex(false)

    /// Whether it is a file, which does not know what was made after it.
    var isExported: Bool { daemon == nil }

    /// A secret that was recognised.
    struct Recognized: Sendable {
        let prefix: String
        /// What the daemon says of it; a file does not.
        var answer: HookQuestions.Answer?
        /// Of a secret that belongs to no key: whose secrets have its form, and its hash.
        var form: (issuer: String, hash: SecretHash)?
    }

    /// - Throws: ``InputError`` for what is no such list.
    init(parsing text: String, path: String, daemon: HookQuestions? = nil) throws(InputError) {
        self.path = path
        self.daemon = daemon
        var keys: [[UInt8]] = []
        var starts: [[UInt8]: Set<Int>] = [:]
        var digests: [[UInt8]: Int] = [:]
        var forms = HookForms()
        let lines = text.split(separator: "\n")
        guard [Self.title[...], Self.titleWithKeys[...], Self.titleWithForms[...]].contains(lines.first) else {
            throw Self.damaged(path, line: 1)
        }
        let hasForms = lines.first == Self.titleWithForms[...]
        for (number, line) in lines.enumerated().dropFirst() {
            let words = line.split(separator: " ")
            if hasForms, forms.take(words) { continue }
            guard words.count >= 2, let bytes = Hexadecimal.bytes(words[1].utf8),
                words.count == (words[0] == "key" ? 2 : 3)
            else {
                throw Self.damaged(path, line: number + 1)
            }
            let numbers = words.count == 3 ? words[2].split(separator: ",").compactMap(Self.number) : []
            switch words[0] {
            case "key": keys.append(bytes)
            case "start": starts[bytes, default: []].formUnion(numbers)
            case "secret": digests[bytes] = numbers.first
            default: throw Self.damaged(path, line: number + 1)
            }
        }
        guard !keys.isEmpty else { throw Self.damaged(path, line: lines.count) }
        self.keys = keys
        self.starts = starts
        self.digests = digests
        self.forms = forms
    }

    private static func damaged(_ path: String, line: Int) -> InputError {
        InputError(
            "\(path) is no list for hooks: line \(line) is not understood",
            hint: "make it again: keyvigil export-hook-list \(argument: path)")
    }

    /// The list of a store.
    ///
    /// - Parameters:
    ///   - shortest: shorter prefixes are not searched for, in bytes.
    ///   - forms: the lines of ``HookForms``.
    ///   - holdsDigests: whether the digests of secrets are in it.
    /// - Returns: the text, and how many secrets are in it and are not, since only their prefixes are known.
    static func text(
        of store: Store, shortest: Int, forms: [String], holdsDigests: Bool = true
    ) throws -> (text: String, secrets: Int, leftOut: Int) {
        var starts: [[UInt8]: Set<Int>] = [:]
        var secrets: [String] = []
        var leftOut = 0
        try store.forEachHash { prefix, length, hash in
            let bytes = Array(prefix.utf8)
            guard let hash, bytes.count >= shortest else {
                leftOut += 1
                return
            }
            starts[Array(bytes.prefix(startLength)), default: []].insert(length ?? 0)
            guard holdsDigests else { return }
            secrets.append("secret \(Hexadecimal.text(hash.prefix(digestLength))) \(bytes.count)")
        }
        let keys = try store.hashKeys()
        let first = forms.isEmpty ? keys.count == 1 ? title : titleWithKeys : titleWithForms
        var lines = [first] + keys.map { "key \(Hexadecimal.text($0[...]))" }
        lines += starts.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { start, lengths in
            "start \(Hexadecimal.text(start[...])) \(lengths.sorted().map(String.init).joined(separator: ","))"
        }
        // In the order of the digests, which says nothing of when the keys were made.
        lines += secrets.sorted() + forms
        return (lines.joined(separator: "\n") + "\n", secrets.count, leftOut)
    }

    /// What is searched for in a repository: the starts of all prefixes, and the forms of secrets that belong to no key.
    func terms(in repository: String) throws -> SearchTerms {
        let seeksForms = forms.areSearched(in: repository)
        self.seeksForms.withLock { $0 = seeksForms }
        var builder = SearchTermsBuilder()
        var id: Int64 = 0
        for (start, lengths) in starts.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            for known in [lengths.filter { $0 >= start.count }.sorted(), lengths.contains(0) ? [] : nil].compactMap(
                \.self)
            where !known.isEmpty || lengths.contains(0) {
                id += 1
                try builder.add(id: id, prefix: start, secretLengths: known)
            }
        }
        return SearchTerms(
            merging: builder, shapes: seeksForms ? UnregisteredForms(forms.issuers).shapes : [])
    }

    func recognize(shape: Int64, candidate: Span<UInt8>) -> Int64? { recognize(candidate) }

    func recognize(term: Int64, candidate: Span<UInt8>) -> Int64? { recognize(candidate) }

    /// The number of a secret of a key, or of one that belongs to no key: a start of prefixes may be that of others, too.
    private func recognize(_ candidate: Span<UInt8>) -> Int64? {
        var hashes: [SecretHash] = []
        for key in keys { hashes += Pepper.hashes(of: candidate, hashKey: key) }
        for hash in hashes {
            let answer = daemon?.answer(hash)
            guard
                let length = answer?.prefixLength ?? digests[Array(hash.bytes.prefix(Self.digestLength))],
                length <= candidate.count
            else { continue }
            let prefix = Self.text(candidate, length)
            return note(Recognized(prefix: prefix, answer: answer)) { $0.form == nil && $0.prefix == prefix }
        }
        guard seeksForms.withLock({ $0 }), let hash = hashes.first, !hashes.contains(where: forms.isDismissed),
            let form = forms.issuer(of: candidate)
        else { return nil }
        let prefix = Self.text(candidate, form.prefixLength)
        return note(Recognized(prefix: prefix, form: (form.name, hash))) { $0.form?.hash == hash }
    }

    /// The number of what was recognised, as that of which `isSame` says so.
    private func note(_ new: Recognized, _ isSame: (Recognized) -> Bool) -> Int64 {
        recognized.withLock { known in
            if let index = known.firstIndex(where: isSame) { return Int64(index + 1) }
            known.append(new)
            return Int64(known.count)
        }
    }

    private static func text(_ candidate: Span<UInt8>, _ length: Int) -> String {
        String(decoding: (0..<length).map { candidate[$0] }, as: UTF8.self)
    }

    func alias(term: Int64, candidate: Span<UInt8>, secret: Int64?) -> String? {
        guard secret != nil, let hash = Pepper.hashes(of: candidate, hashKey: keys[0]).first else { return nil }
        return Hexadecimal.text(hash.bytes.prefix(4))
    }

    /// What was seen of a secret that belongs to no key; nil for an occurrence of another kind.
    func unregistered(_ occurrence: Occurrence, _ sighting: Sighting) -> UnregisteredSecret? {
        guard case .confirmed(let number) = occurrence.grade, let form = recognized(number).form else { return nil }
        return UnregisteredSecret(
            issuer: form.issuer, prefix: recognized(number).prefix, hash: form.hash, sighting: sighting)
    }

    /// What was recognised.
    func recognized(_ secret: Int64) -> Recognized { recognized.withLock { $0[Int(secret - 1)] } }

    /// Throws what kept the daemon from answering.
    func check() throws(HookQuestions.Unanswered) { try daemon?.check() }

    private static func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
    }
}
