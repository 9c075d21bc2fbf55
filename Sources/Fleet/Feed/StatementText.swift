internal import KeyStore
internal import PostgreSQL

/// A statement that is put together of the names of a schema and of arrays of values.
struct StatementText {
    private var interpolation = Statement.StringInterpolation(literalCapacity: 400, interpolationCount: 20)

    var statement: Statement { Statement(stringInterpolation: interpolation) }

    mutating func append(_ text: String) { interpolation.appendLiteral(text) }

    /// Adds a statement that adds rows to a table.
    ///
    /// - Parameter columns: their values, in the order of the columns.
    mutating func appendInsertion(into table: SharedTable, _ columns: [ColumnList]) {
        let names = table.columns.map(\.name).joined(separator: ", ")
        append("INSERT INTO keyvigil.\(table.name) (\(names)) SELECT * FROM unnest(")
        append(columns)
        append(")")
    }

    /// Adds the values of columns, with commas between the columns.
    mutating func append(_ columns: [ColumnList]) {
        for (number, column) in columns.enumerated() {
            if number > 0 { append(", ") }
            interpolation.appendInterpolation(column.encoded)
        }
    }

    /// Adds the end of a statement that has the rows which it has changed in a table `changed`: all must be there.
    mutating func appendCheck(of count: Int) {
        append("SELECT keyvigil.must(count(*) = ")
        interpolation.appendInterpolation(count)
        append(") FROM changed")
    }
}
