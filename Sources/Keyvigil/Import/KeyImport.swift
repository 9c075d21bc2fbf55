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
    private let rules: KeyRecordRules
    private var reader: LineReader
    private let format: ImportFormat
    private let total: UInt64?
    private var columns: [ImportLine.Field] = []
    private(set) var lineNumber = 0
    /// The lines that were refused, and why; only the first of them are kept.
    private(set) var refusals: [(line: Int, error: any ExplainedError)] = []
    private(set) var refusalCount = 0

    static let shownRefusals = 100

    /// - Parameter total: the size of the input in bytes, where it is known, for the progress.
    init(_ file: FileDescriptor, format: ImportFormat, total: UInt64?, rules: KeyRecordRules) {
        reader = LineReader(file)
        self.format = format
        self.total = total
        self.rules = rules
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
                if format == .csv, columns.isEmpty { return false }
            }
            progress.update(done: reader.bytes, of: total, note: "\(lineNumber) lines")
        }
        return refusalCount == 0
    }

    private mutating func add(_ line: borrowing Secret, _ importer: inout KeyImporter) throws {
        let isBlank = line.withBytes { bytes in bytes.indices.allSatisfy { bytes[$0] <= 0x20 } }
        if isBlank { return }
        var fields = ImportLine()
        switch format {
        case .jsonl:
            try line.withBytes { bytes in
                try JSONFields.forEach(in: bytes) { name, value in try fields.set(ImportLine.Field(named: name), value)
                }
            }
        case .csv where columns.isEmpty:
            var found: [ImportLine.Field] = []
            try line.withBytes { bytes in
                try CSVFields.forEach(in: bytes) { _, value in
                    let name = value.text(upTo: value.count).trimmingCharacters(in: .whitespaces)
                    let field = try ImportLine.Field(
                        named: name.hasPrefix("\u{FEFF}") ? String(name.dropFirst()) : name)
                    guard !found.contains(field) else {
                        throw InputError("the column '\(field.rawValue)' stands twice", hint: "name each column once")
                    }
                    found.append(field)
                }
            }
            guard found.contains(.name) else {
                throw InputError("the column 'name' is missing", hint: "the first line names the columns")
            }
            columns = found
            return
        case .csv:
            let columns = self.columns
            try line.withBytes { bytes in
                var count = 0
                try CSVFields.forEach(in: bytes) { column, value in
                    count += 1
                    guard column < columns.count else {
                        throw InputError(
                            "the line has more fields than there are columns", hint: "quote values that hold a comma")
                    }
                    try fields.set(columns[column], value)
                }
                guard count == columns.count else {
                    throw InputError(
                        "the line has \(count) fields, not \(columns.count)",
                        hint: "leave empty what is not known, but keep the commas")
                }
            }
        }
        try importer.add(try rules.key(fields), try rules.secret(&fields))
    }
}
