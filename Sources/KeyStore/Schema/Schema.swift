internal import GRDB

/// The store's schema: a list of migrations, each frozen once it has shipped.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 keys, secrets, audit, alerts, findings", migrate: SchemaV1.create)
        return migrator
    }
}
