/// The fifteenth schema: versions of the records of keys.
enum SchemaV15 {
    static let migration = Migration(
        "15 versions of keys",
        [
            .columns(
                to: "keys",
                [
                    // How often the record was written since this schema or since it was made; null: never.
                    "version INTEGER"
                ])
        ])
}
