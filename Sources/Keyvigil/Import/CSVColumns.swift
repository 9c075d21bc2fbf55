internal import Keys

/// The columns of a CSV, as its first line names them.
struct CSVColumns {
    private let fields: [ImportLine.Field]
    private let separator: UInt8

    /// The separator that a line `sep=;` names, as Excel reads and writes it; nil for any other line.
    static func namedSeparator(_ line: borrowing Span<UInt8>) -> UInt8? {
        let start = Array("sep=".utf8)
        guard line.count == start.count + 1, start.indices.allSatisfy({ line[$0] | 0x20 == start[$0] | 0x20 }) else {
            return nil
        }
        return line[start.count]
    }

    /// Reads the line that names the columns. Without a separator it is the one that makes all names known.
    ///
    /// - Throws: ``InputError`` for a column that is unknown, there twice, or missing; empty columns at the end are none.
    init(header: borrowing Span<UInt8>, separatedBy named: UInt8?) throws {
        let candidates = named.map { [$0] } ?? CSVFields.separators
        var failure: (any Error)?
        for candidate in candidates {
            do {
                fields = try Self.fields(header, candidate)
                separator = candidate
                return
            } catch {
                // What is wrong is said of the separator that is there.
                let isThere = header.indices.contains { header[$0] == candidate }
                if failure == nil || isThere { failure = error }
                if isThere { break }
            }
        }
        throw failure ?? InputError("the first line is empty", hint: "the first line names the columns")
    }

    private static func fields(_ header: borrowing Span<UInt8>, _ separator: UInt8) throws -> [ImportLine.Field] {
        var names: [String] = []
        try CSVFields.forEach(in: header, separatedBy: separator) { _, value in
            names.append(value.text(upTo: value.count).trimmed)
        }
        while names.last == "" { names.removeLast() }
        var found: [ImportLine.Field] = []
        for name in names {
            guard !name.isEmpty else {
                throw InputError("a column has no name", hint: "name each column in the first line")
            }
            let field = try ImportLine.Field(named: name)
            guard !found.contains(field) else {
                throw InputError("the column '\(field.rawValue)' is there twice", hint: "name each column once")
            }
            found.append(field)
        }
        guard found.contains(.name) else {
            throw InputError("the column 'name' is missing", hint: "the first line names the columns")
        }
        return found
    }

    /// Reads a line of values.
    ///
    /// - Throws: ``InputError`` for fewer values than columns, and for a value without a column.
    func read(_ line: borrowing Span<UInt8>, into target: inout ImportLine) throws {
        var read = ImportLine()
        var count = 0
        try CSVFields.forEach(in: line, separatedBy: separator) { column, value in
            count += 1
            if column < fields.count { return try read.set(fields[column], value) }
            let isEmpty = value.withBytes { bytes in bytes.indices.allSatisfy { bytes[$0] <= 0x20 } }
            guard isEmpty else {
                throw InputError(
                    "the line has more fields than there are columns", hint: "quote values that hold the separator")
            }
        }
        guard count >= fields.count else {
            throw InputError(
                "the line has \(count) fields, not \(fields.count)",
                hint: "leave empty what is not known, but keep the separators")
        }
        target = read
    }
}
