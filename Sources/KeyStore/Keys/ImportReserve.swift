/// The space in the file that staged keys will take in their tables and indexes. It is taken with them, so that a disk that is
/// too small is full before the import is accepted, and freed right before they are moved.
enum ImportReserve {
    /// Keys that share a row, which has pages of its own.
    static let group = 16

    /// What a key takes beyond its staged row, in bytes: measured with 100,000 keys, and a quarter more.
    private static let key: Int64 = 640
    /// What a staged row takes, which is removed only after its key was added.
    private static let staged: Int64 = 480
    /// A row about pages of its own, in bytes.
    private static let page: Int64 = 4_096

    static func add(after row: Int64, keys: Int, _ db: Connection) throws {
        try add(row, Int64(keys) * key, db)
    }

    /// The first keys are moved before any staged row is removed.
    static func addForFirst(keys: Int, _ db: Connection) throws {
        try add(0, Int64(min(keys, BatchPacer.keys.upperBound)) * staged, db)
    }

    private static func add(_ row: Int64, _ bytes: Int64, _ db: Connection) throws {
        let pages = (bytes + page - 1) / page
        try db.run("INSERT INTO import_reserve (import_row, space) VALUES (\(row), zeroblob(\(pages * page)))")
    }

    static func free(through row: Int64, _ db: Connection) throws {
        try db.run("DELETE FROM import_reserve WHERE import_row <= \(row)")
    }
}
