/// The seventeenth schema: what a host has to know as a member of a fleet.
enum SchemaV17 {
    static let migration = Migration("17 membership in a fleet", [.script(tables)])

    private static let tables = """
        -- One row where the host is a member of a fleet.
        CREATE TABLE membership (
          one INTEGER PRIMARY KEY CONSTRAINT membership_has_one_row CHECK (one = 1),
          server_system INTEGER,        -- of the fleet's database server: what initdb gave it; null: none was met
          server_timeline INTEGER,      -- the latest that was met
          max_staleness INTEGER NOT NULL, -- how long verification goes on without the fleet's database
          lease TEXT NOT NULL           -- the file that says when the database last answered
        ) STRICT;

        -- How far the entries of each host's feed are applied.
        CREATE TABLE feeds (
          host INTEGER PRIMARY KEY,
          sequence INTEGER NOT NULL,    -- of the last entry
          clock INTEGER NOT NULL,       -- of that entry
          head BLOB NOT NULL            -- its link
        ) STRICT;
        """
}
