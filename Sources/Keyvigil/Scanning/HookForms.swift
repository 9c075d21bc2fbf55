internal import KeyStore
internal import Keys
internal import LeakScan

/// How hooks recognise secrets that belong to no key: by the forms of the issuers, where they are searched for, and the digests of
/// those that were dismissed. None of it is secret.
///
/// In a list for hooks these are lines of words; texts are in hexadecimal digits:
///
///     unregistered yes|no              where no rule says otherwise
///     place PATH yes|no                a rule; a later one comes first
///     issuer NAME TITLE
///     own BRAND                        of the issuer above: secrets of stores like this one
///     form BRANDS ALPHABET LENGTHS VISIBLE CHECKSUM
///     dismissed DIGEST
struct HookForms {
    private(set) var issuers = IssuerCatalog(brand: "")
    private var settings = Configuration.ScanSettings()
    private var dismissed: Set<[UInt8]> = []

    /// What a list without such lines says.
    init() { settings.unregistered = false }

    /// Whether secrets that belong to no key are searched for in a repository.
    func areSearched(in repository: String) -> Bool {
        settings.isUnregisteredSearched(in: ScanTarget(path: repository))
    }

    func isDismissed(_ hash: SecretHash) -> Bool { dismissed.contains(Array(hash.bytes.prefix(HookList.digestLength))) }

    /// The issuer whose secrets have the form of `candidate`, and the length of what may be shown of it.
    func issuer(of candidate: Span<UInt8>) -> (name: String, prefixLength: Int)? {
        var longest = 0
        var found: (name: String, prefixLength: Int)?
        for profile in issuers.names.compactMap({ issuers[$0] }) {
            for brand in profile.shape.distinctForms.map(\.brand) where brand.count > longest {
                guard brand.count <= candidate.count, brand.indices.allSatisfy({ brand[$0] == candidate[$0] }),
                    let length = profile.shape.prefixLength(ofUnregistered: candidate)
                else { continue }
                longest = brand.count
                found = (profile.name, length)
            }
        }
        return found
    }

    // MARK: - Lines

    /// The lines of a list; none where these secrets are searched for nowhere.
    static func lines(of store: Store, _ settings: Configuration.ScanSettings) throws -> [String] {
        guard settings.unregistered || settings.places.contains(where: { $0.unregistered == true }) else { return [] }
        var lines = ["unregistered \(word(settings.unregistered))"]
        lines += settings.places.compactMap { rule in
            rule.unregistered.map { "place \(digits(ScanTarget(path: rule.path).path)) \(word($0))" }
        }
        let issuers = store.issuers
        for profile in issuers.names.compactMap({ issuers[$0] }) where !profile.shape.distinctForms.isEmpty {
            lines.append("issuer \(digits(profile.name)) \(digits(profile.title))")
            switch profile.shape {
            case .own(let brand): lines.append("own \(digits(brand))")
            case .branded(let shapes): lines += shapes.map(line)
            case .signIn, .unknown: break
            }
        }
        let hashes = try store.unregisteredFindings(all: true).filter { $0.dismissal != nil }.map(\.hash)
        return lines + hashes.map { "dismissed \(Hexadecimal.text($0.bytes.prefix(HookList.digestLength)))" }.sorted()
    }

    private static func line(_ shape: BrandedShape) -> String {
        "form \(shape.brands.map { $0.isEmpty ? "-" : digits($0) }.joined(separator: ",")) "
            + "\(Hexadecimal.text(shape.alphabet[...])) \(shape.lengths.lowerBound),\(shape.lengths.upperBound) "
            + "\(shape.visible) \(shape.checksum.rawValue)"
    }

    private static func digits(_ text: String) -> String { Hexadecimal.text(Array(text.utf8)[...]) }

    private static func word(_ isSearched: Bool) -> String { isSearched ? "yes" : "no" }

    /// Takes in one line.
    ///
    /// - Returns: false if it is none of these, or not understood.
    mutating func take(_ words: [Substring]) -> Bool {
        switch (words.first, words.count) {
        case ("unregistered", 2):
            guard let isSearched = Self.answer(words[1]) else { return false }
            settings.unregistered = isSearched
        case ("place", 3):
            guard let path = Self.text(words[1]), let isSearched = Self.answer(words[2]) else { return false }
            settings.places.append(Configuration.PlaceRule(path: path, unregistered: isSearched))
        case ("issuer", 3):
            guard let name = Self.text(words[1]), let title = Self.text(words[2]) else { return false }
            issuers.add(IssuerProfile(name: name, title: title, shape: .branded([]), authorization: .bearer))
            last = name
        case ("own", 2): return Self.text(words[1]).map { add(.own(brand: $0)) } ?? false
        case ("form", 6):
            guard let shape = Self.shape(words), case .branded(let others)? = issuers[last]?.shape else { return false }
            return add(.branded(others + [shape]))
        case ("dismissed", 2):
            guard let digest = Hexadecimal.bytes(words[1].utf8) else { return false }
            dismissed.insert(digest)
        default: return false
        }
        return true
    }

    /// The name of the issuer that was read last.
    private var last = ""

    private mutating func add(_ shape: SecretShape) -> Bool {
        guard var profile = issuers[last] else { return false }
        profile.shape = shape
        issuers.add(profile)
        return true
    }

    private static func shape(_ words: [Substring]) -> BrandedShape? {
        let brands = words[1].split(separator: ",").map { $0 == "-" ? "" : text($0) }
        let lengths = words[3].split(separator: ",").compactMap { Int($0) }
        guard !brands.isEmpty, brands.allSatisfy({ $0 != nil }), let alphabet = Hexadecimal.bytes(words[2].utf8),
            !alphabet.isEmpty, lengths.count == 2, lengths[0] > 0, lengths[0] <= lengths[1], lengths[1] <= 1024,
            let visible = Int(words[4]), (0...lengths[0]).contains(visible),
            let checksum = BrandedShape.Checksum(rawValue: String(words[5]))
        else { return nil }
        return BrandedShape(
            brands: brands.compactMap(\.self), alphabet: alphabet, lengths: lengths[0]...lengths[1], visible: visible,
            checksum: checksum)
    }

    private static func text(_ word: Substring) -> String? {
        Hexadecimal.bytes(word.utf8).flatMap { String(validating: $0, as: UTF8.self) }
    }

    private static func answer(_ word: Substring) -> Bool? { ["yes": true, "no": false][word] }
}
