internal import GRDB

/// The store's schema: a list of migrations, each frozen once it has shipped.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration(first, migrate: SchemaV1.create)
        migrator.registerMigration("2 objects and dismissals of findings", migrate: SchemaV2.migrate)
        migrator.registerMigration("3 issued and held keys, checks with issuers", migrate: SchemaV3.migrate)
        migrator.registerMigration("4 urgency of alerts", migrate: SchemaV4.migrate)
        migrator.registerMigration("5 taking back, reviews and holds", migrate: SchemaV5.migrate)
        migrator.registerMigration("6 places of findings", migrate: SchemaV6.migrate)
        return migrator
    }

    static let first = "1 keys, secrets, audit, alerts, findings"
}
