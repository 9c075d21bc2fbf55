/// The eighteenth schema: by which policy the fleet of a member makes due dates.
enum SchemaV18 {
    static let migration = Migration("18 policy of a fleet", [.script(columns)])

    private static let columns = """
        -- Its fingerprint, as this host knows it; null: the fleet has none.
        ALTER TABLE membership ADD COLUMN policy TEXT;
        """
}
