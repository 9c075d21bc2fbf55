internal import CSQLite

/// The SQLite library of this process.
package enum SQLiteLibrary {
    /// Switches off the count of the memory that SQLite uses (sqlite.org/c3ref/c_config_covering_index_scan.html, SQLITE_CONFIG_MEMSTATUS): with it each
    /// allocation takes a lock that all connections share, which is a tenth of the time of a sweep.
    ///
    /// For a program, before its first connection. A library leaves the choice to the process that it is in.
    package static func omitMemoryStatistics() { keyvigil_sqlite_omit_memory_statistics() }
}
