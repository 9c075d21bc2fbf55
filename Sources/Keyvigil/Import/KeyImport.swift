internal import Foundation
internal import KeyStore
internal import Keys
internal import SystemPackage

/// How the lines of an import are written.
enum ImportFormat: String, CaseIterable {
    case csv, jsonl
}

/// Reads lines and adds keys; a line that cannot be accepted is told with its number and reason, and then nothing is
/// kept.
struct KeyImport: ~Copyable {
    private let issuers: IssuerCatalog
    private let now: Instant
    private var reader: LineReader
    private let format: ImportFormat
    private let total: UInt64?
    private var columns: CSVColumns?
    private var separator: UInt8?
    private(set) var lineNumber = 0
    /// The lines that were refused, and why; only the first of them are kept.
    private(set) var refusals: [(line: Int, error: any ExplainedError)] = []
    private(set) var refusalCount = 0

    static let shownRefusals = 100

    /// - Parameter total: the size of the input in bytes, where it is known, for the progress.
    init(_ file: FileDescriptor, format: ImportFormat, total: UInt64?, issuers: IssuerCatalog, now: Instant) {
        reader = LineReader(file)
        self.format = format
        self.total = total
        self.issuers = issuers
        self.now = now
    }

    /// Adds a key for each line.
    ///
    /// - Returns: whether all lines were accepted.
    mutating func run(into importer: inout KeyImporter, progress: inout ProgressBar) throws -> Bool {
        var line = Secret(capacity: LineReader.longestLine)
        while true {
            do {
                lineNumber += 1
                guard try reader.next(into: &line) else { break }
                try add(line, &importer)
            } catch let error as any ExplainedError {
                if let store = error as? StoreError, store.code != .refused, store.code != .duplicateName {
                    throw store
                }
                refusalCount += 1
                if refusals.count < Self.shownRefusals { refusals.append((lineNumber, error)) }
                // Without its header nothing of a CSV means anything.
                if format == .csv, columns == nil { return false }
            }
            progress.update(done: reader.bytes, of: total, note: "\(lineNumber) lines")
        }
        return refusalCount == 0
    }

    private mutating func add(_ line: borrowing Secret, _ importer: inout KeyImporter) throws {
        try Self.requireText(line)
        if line.withBytes({ bytes in bytes.indices.allSatisfy { bytes[$0] <= 0x20 } }) { return }
        var fields = ImportLine()
        switch format {
        case .jsonl:
            try line.withBytes { bytes in
                try JSONFields.forEach(in: bytes) { name, value in try fields.set(ImportLine.Field(named: name), value)
                }
            }
        case .csv:
            guard let columns else { return try readHeader(line) }
            try line.withBytes { try columns.read($0, into: &fields) }
            // Rows that a spreadsheet leaves behind.
            if fields.isEmpty { return }
        }
        try importer.add(try key(fields), try secret(&fields))
    }

    /// Refuses bytes that are no UTF-8, and zeros: a name must not be changed unseen.
    private static func requireText(_ line: borrowing Secret) throws(InputError) {
        let (wrong, zero) = line.withBytes { bytes -> (Int?, Int?) in
            var wrong: Int?
            do throws(UTF8.ValidationError) { _ = try UTF8Span(validating: bytes) } catch {
                wrong = error.byteOffsets.lowerBound
            }
            return (wrong, bytes.indices.first { bytes[$0] == 0 })
        }
        if let wrong {
            throw InputError(
                "byte \(wrong + 1) of the line is no UTF-8",
                hint: "if it is from Windows: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW; then import that")
        }
        if let zero {
            throw InputError("byte \(zero + 1) of the line is zero", hint: "write the file again as UTF-8 text")
        }
    }

    private mutating func readHeader(_ line: borrowing Secret) throws {
        if separator == nil, let named = line.withBytes({ CSVColumns.namedSeparator($0) }) {
            separator = named
            return
        }
        columns = try line.withBytes { try CSVColumns(header: $0, separatedBy: separator) }
    }

    private func profile(_ fields: borrowing ImportLine) throws -> IssuerProfile {
        try issuers.profile(fields.text(.issuer) ?? IssuerProfile.ownName)
    }

    private func key(_ fields: borrowing ImportLine) throws -> NewKey {
        let profile = try profile(fields)
        guard let name = fields.text(.name) else {
            throw InputError("the name is missing", hint: "every key has a name")
        }
        let environment =
            try fields.text(.environment).map { (text) throws(InputError) in try Keys.Environment(parsing: text) }
            ?? .live
        try profile.check(environment)
        let permissions = fields.texts[.permissions].map { $0.filter { !$0.isEmpty } } ?? []
        let resources = fields.texts[.resources].map { $0.filter { !$0.isEmpty } } ?? []
        let kind = try fields.text(.kind).map { (text) throws(InputError) in
            try InputError.word(text, "kind of credential", KeyKind.self)
        }
        return NewKey(
            kind: kind ?? .apiKey, name: try NameRules.checked(name, what: "name"),
            owner: try fields.text(.owner).map { (text) throws(InputError) in try NameRules.checked(text, what: "owner")
            },
            issuer: profile.name, environment: environment,
            permissions: permissions.isEmpty ? .all : try profile.checked(PermissionSet(parsing: permissions)),
            resources: resources.isEmpty
                ? .all : try ResourceScope(parsing: resources.flatMap { $0.split(separator: ";").map(String.init) }),
            role: try profile.checkedRole(fields.text(.role)),
            expiresAt: try expiry(fields),
            rotateEvery: try fields.text(.rotateEvery).flatMap { (text) throws(InputError) in
                text == "never" ? nil : try Period(parsing: text)
            },
            createdAt: try fields.text(.createdAt).map { (text) throws(InputError) in try Instant(parsing: text) })
    }

    /// Unlike that of a new key, the expiry of an imported one may have passed.
    private func expiry(_ fields: borrowing ImportLine) throws -> Instant? {
        guard let text = fields.text(.expiresAt), text != "never" else { return nil }
        return try Instant(parsing: text)
    }

    private func secret(_ fields: inout ImportLine) throws -> ImportedSecret {
        let given = fields.text(.prefix)
        if let given { try checkPrefix(given) }
        if let secret = fields.takeSecret() {
            guard fields.text(.hash) == nil else {
                throw InputError("there is a secret and a hash", hint: "give the one or the other")
            }
            guard secret.count <= Secret.longest else {
                throw InputError("the secret is too long", hint: "give the secret alone")
            }
            guard secret.withBytes({ bytes in bytes.indices.allSatisfy { bytes[$0] > 0x20 && bytes[$0] < 0x7F } })
            else {
                throw InputError(
                    "the secret holds characters that no secret has",
                    hint: "give the secret alone, in visible ASCII characters")
            }
            let length: Int
            if let given {
                let bytes = Array(given.utf8)
                let isStart = secret.withBytes { span in
                    span.count > bytes.count && bytes.indices.allSatisfy { span[$0] == bytes[$0] }
                }
                guard isStart else {
                    throw InputError(
                        "the secret does not begin with its prefix", hint: "check both, or leave the prefix out")
                }
                length = bytes.count
            } else {
                let shape = try profile(fields).shape
                length = try secret.withBytes { (span) throws(InputError) in try shape.prefixLength(of: span) }
            }
            return .whole(secret, prefixLength: length)
        }
        guard let given else {
            throw InputError(
                "there is neither secret nor prefix", hint: "give a secret, a hash with its prefix, or a prefix alone")
        }
        guard let hash = fields.text(.hash) else { return .prefix(given) }
        return .digest(try Self.digest(hash), prefix: given)
    }

    private func checkPrefix(_ prefix: String) throws(InputError) {
        guard (1...200).contains(prefix.utf8.count), prefix.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw InputError(
                "the prefix holds characters that no secret has", hint: "give at most 200 visible ASCII characters")
        }
    }

    /// 64 hexadecimal digits.
    private static func digest(_ text: String) throws(InputError) -> [UInt8] {
        let digits = Array(text.utf8)
        var bytes: [UInt8] = []
        guard digits.count == 64 else {
            throw InputError(
                "the hash has \(digits.count) characters",
                hint: "give the SHA-256 of the secret as 64 hexadecimal digits")
        }
        for start in stride(from: 0, to: 64, by: 2) {
            guard let byte = UInt8(String(decoding: digits[start..<start + 2], as: UTF8.self), radix: 16) else {
                throw InputError(
                    "the hash is not hexadecimal", hint: "give the SHA-256 of the secret as 64 hexadecimal digits")
            }
            bytes.append(byte)
        }
        return bytes
    }
}
