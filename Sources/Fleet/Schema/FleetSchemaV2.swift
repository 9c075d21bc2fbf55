internal import PostgreSQL

/// The second schema: by which policy each host would make due dates.
enum FleetSchemaV2 {
    static let migration = FleetMigration(
        version: 2, compatibleFrom: 1, title: "policies of the hosts", statements: hosts)

    private static let hosts: [Statement] = [
        // The fingerprint of the policy of its configuration; null: it runs the first version.
        "ALTER TABLE keyvigil.hosts ADD COLUMN policy text",
        // The fingerprint in `policy` says all of it.
        "ALTER TABLE keyvigil.fleet DROP COLUMN policy_text",
    ]
}
