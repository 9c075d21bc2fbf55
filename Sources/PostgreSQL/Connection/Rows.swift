internal import CPostgreSQLLoader

/// What a statement has returned. It never changes, and its memory is libpq's, which frees it at the end.
///
/// A class, because a round trip returns several in an array, which takes no values that cannot be copied.
///
/// Unsafe: `handle` is cleared in `deinit`; bytes of a value are copied, as many as PQgetlength says.
@safe package final class Rows: @unchecked Sendable {
    private let library: Library
    private let handle: OpaquePointer
    private let names: [String]

    /// The number of rows.
    package let count: Int
    /// The number of rows that the statement has changed or returned.
    package let affected: Int

    /// - Parameter handle: a result, which this value owns from now on.
    @unsafe init(_ handle: OpaquePointer, _ library: Library) {
        self.library = library
        unsafe self.handle = handle
        let pq = unsafe library.functions.pointee
        count = Int(unsafe pq.ntuples(handle))
        affected = unsafe pq.cmdTuples(handle).flatMap { unsafe Int(String(cString: $0)) } ?? 0
        names = (0..<(unsafe pq.nfields(handle))).map { column in
            unsafe pq.fname(handle, column).map { unsafe String(cString: $0) } ?? ""
        }
    }

    deinit { unsafe library.functions.pointee.clear(handle) }

    package subscript(row: Int) -> Row {
        precondition(row >= 0 && row < count, "the result has no row \(row)")
        return Row(self, row)
    }

    package var first: Row? { count > 0 ? self[0] : nil }

    /// What `read` makes of each row.
    package func map<Value>(_ read: (Row) throws -> Value) rethrows -> [Value] {
        try (0..<count).map { try read(self[$0]) }
    }

    /// A field of an error; nil where it has none.
    func field(_ code: Int32) -> String? {
        unsafe library.functions.pointee.resultErrorField(handle, code).map { unsafe String(cString: $0) }
    }

    fileprivate func cell(_ name: String, in row: Int) -> Cell {
        guard let index = names.firstIndex(of: name) else {
            preconditionFailure("the result has no column \(name), but \(names)")
        }
        let pq = unsafe library.functions.pointee
        let (row, column) = (Int32(row), Int32(index))
        let type = unsafe pq.ftype(handle, column)
        guard unsafe pq.getisnull(handle, row, column) == 0, let start = unsafe pq.getvalue(handle, row, column) else {
            return Cell(column: name, type: type, nil)
        }
        let length = Int(unsafe pq.getlength(handle, row, column))
        let bytes = unsafe UnsafeRawBufferPointer(start: UnsafeRawPointer(start), count: length)
        return Cell(column: name, type: type, unsafe Array(bytes))
    }
}

/// A row of a result.
package struct Row {
    private let rows: Rows
    private let index: Int

    fileprivate init(_ rows: Rows, _ index: Int) {
        self.rows = rows
        self.index = index
    }

    /// The value of a column.
    package subscript<Value: ColumnValue>(_ name: String) -> Value {
        get throws(PostgreSQLError) { try Value(rows.cell(name, in: index)) }
    }
}
