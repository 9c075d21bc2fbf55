/// The sixteenth schema: a chain of the audit for each host of a fleet.
///
/// The number of an event begins with that of its host: see ``AuditChains``. The events of a store without a fleet are those of
/// the host 0, and keep their numbers.
enum SchemaV16 {
    static let migration = Migration(
        "16 audit chains",
        [
            .script(tables),
            .columns(
                to: "audit_events",
                [
                    // A Lamport clock: one more than the greatest that the store held when the event was written. Null: the
                    // event is of the host 0, and earlier than those with a clock.
                    "clock INTEGER"
                ]),
        ])

    private static let tables = """
        CREATE TABLE audit_chains (
          host INTEGER PRIMARY KEY,   -- its number in the fleet; 0: the store itself, before it was of a fleet
          name TEXT NOT NULL,         -- of the host; empty for 0
          audit_count INTEGER NOT NULL,
          audit_head BLOB NOT NULL,   -- link of the last event
          audit_seal BLOB NOT NULL,   -- HMAC of count and head: events cannot be cut off the end unseen
          clock INTEGER NOT NULL DEFAULT 0 -- of the last event; 0: it has none
        ) STRICT;
        INSERT INTO audit_chains (host, name, audit_count, audit_head, audit_seal)
          SELECT 0, '', audit_count, audit_head, audit_seal FROM store;
        -- A program of an earlier version that has the store open meanwhile fails from here on, instead of writing to a chain
        -- that is no longer read.
        ALTER TABLE store DROP COLUMN audit_count;
        ALTER TABLE store DROP COLUMN audit_head;
        ALTER TABLE store DROP COLUMN audit_seal;
        ALTER TABLE store ADD COLUMN host INTEGER NOT NULL DEFAULT 0; -- the number of this host in its fleet; 0: no fleet
        """
}
