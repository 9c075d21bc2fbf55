internal import CPostgreSQLLoader

/// libpq, loaded when the first connection is opened.
///
/// Unsafe: the table of its functions is a constant of the process.
@safe struct Library: @unchecked Sendable {
    let functions: UnsafePointer<keyvigil_pq>

    /// - Throws: ``PostgreSQLError`` where it is not installed.
    static func load() throws(PostgreSQLError) -> Library {
        guard let functions = unsafe keyvigil_pq_load() else { throw .noLibrary }
        return unsafe Library(functions: functions)
    }
}
