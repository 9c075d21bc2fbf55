internal import Errors
internal import KeyStore
internal import Keys
internal import Synchronization

/// How the lines of an import are written.
enum ImportFormat: String, CaseIterable {
    case csv, jsonl
}

/// Goes through the lines of an import; a line that cannot be accepted is reported with its number and reason, and then nothing is
/// kept.
struct KeyImport: ~Copyable {
    private let rules: KeyRecordRules
    private let texts: RecordedTexts
    private var reader: LineReader
    private let total: UInt64
    private let format: ImportFormat
    private let progress: Progress
    private let pass: Progress.Pass
    private var columns: CSVColumns?
    private var separator: UInt8?
    private(set) var lineNumber = 0
    /// The lines that were refused, and why; only the first of them are kept.
    private(set) var refusals: [(line: Int, error: any ExplainedError)] = []
    private(set) var refusalCount = 0

    static let shownRefusals = 100

    /// Whether all that was refused is shown, so that more can be.
    var showsAll: Bool { refusalCount < Self.shownRefusals }

    /// - Parameters:
    ///   - texts: keeps secrets out of what is recorded and said.
    ///   - pass: what is done with the lines.
    init(
        _ input: ImportInput, format: ImportFormat, rules: KeyRecordRules, texts: RecordedTexts, _ pass: Progress.Pass,
        _ progress: Progress
    ) {
        self.texts = texts
        self.pass = pass
        reader = LineReader(input)
        total = input.size
        self.format = format
        self.progress = progress
        self.rules = rules
    }

    /// Calls `add` with the key of each line, and its number.
    ///
    /// - Returns: whether all lines were accepted.
    mutating func run(_ add: (NewKey, consuming ImportedSecret, _ line: Int) throws -> Void) throws -> Bool {
        var line = Secret(capacity: LineReader.longestLine)
        while true {
            do {
                lineNumber += 1
                guard try reader.next(into: &line) else { break }
                try read(line, add)
            } catch let error as any ExplainedError {
                if let store = error as? StoreError, store.code != .refused, store.code != .duplicateName {
                    throw store
                }
                refusalCount += 1
                if refusals.count < Self.shownRefusals { refusals.append((lineNumber, error)) }
                // Without its header nothing of a CSV means anything.
                if format == .csv, columns == nil { return false }
            }
            progress.note(pass, bytes: reader.bytes, of: total, lines: lineNumber)
        }
        return refusalCount == 0
    }

    private mutating func read(
        _ line: borrowing Secret, _ add: (NewKey, consuming ImportedSecret, _ line: Int) throws -> Void
    ) throws {
        try Self.requireText(line)
        if line.withBytes({ bytes in bytes.indices.allSatisfy { bytes[$0] <= 0x20 } }) { return }
        var fields = ImportLine()
        switch format {
        case .jsonl:
            try line.withBytes { bytes in
                var given: Set<ImportLine.Field> = []
                try JSONFields.forEach(in: bytes) { name in
                    let field = try ImportLine.Field(named: name)
                    guard given.insert(field).inserted else { throw ImportLine.twice(field) }
                    return field
                } value: { field, value in
                    try fields.set(field, value)
                }
            }
        case .csv:
            guard let columns else { return try readHeader(line) }
            try line.withBytes { try columns.read($0, into: &fields) }
            // Rows that a spreadsheet leaves behind.
            if fields.isEmpty { return }
        }
        do {
            // What was checked once is not checked again.
            if pass == .checking { try texts.refuseSecrets(in: fields) }
            let key = try rules.key(fields)
            let secret = try rules.secret(&fields)
            try add(key, secret, lineNumber)
        } catch let error as StoreError {
            guard error.code == .refused || error.code == .duplicateName else { throw error }
            throw texts.shown(error, about: fields)
        } catch let error as any ExplainedError {
            throw texts.shown(error, about: fields)
        }
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
}

extension KeyImport {
    /// How far an import is.
    final class Progress: Sendable {
        private let state = Mutex(ProgressBar.State(done: 0, total: nil, note: "reading"))

        init() {}

        /// - Parameter total: where it is known, in bytes.
        func noteRead(bytes: UInt64, of total: UInt64?) {
            state.withLock { $0 = ProgressBar.State(done: bytes, total: total, note: "reading") }
        }

        /// What is done with the lines, in this order.
        enum Pass: String {
            case checking, writing
        }

        /// Each pass, and then taking the keys into use, is a third of the work.
        fileprivate func note(_ pass: Pass, bytes: UInt64, of total: UInt64, lines: Int) {
            let done = Double(bytes) / Double(max(1, total)) + (pass == .writing ? 1 : 0)
            note("\(pass.rawValue) line \(lines)", done)
        }

        /// Notes how many keys are in use.
        func noteMoved(_ done: Int, of all: Int) {
            note("\(done) of \(all) keys are in use", 2 + Double(done) / Double(max(1, all)))
        }

        private func note(_ text: String, _ thirds: Double) {
            state.withLock { $0 = ProgressBar.State(share: thirds / 3, note: text) }
        }

        var value: ProgressBar.State { state.withLock { $0 } }
    }
}
