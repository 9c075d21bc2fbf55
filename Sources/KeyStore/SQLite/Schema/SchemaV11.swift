/// The eleventh schema: what the last whole scan of a place has searched for, and up to where.
enum SchemaV11 {
    static let migration = Migration(
        "11 whole scans",
        [
            .columns(
                to: "repositories",
                [
                    // The start of the last scan that was complete; null: there was none since this schema.
                    "searched_at INTEGER",
                    // The greatest secret that it has searched for.
                    "searched_secret INTEGER",
                    // The commit of HEAD before it began; null: the place is no repository.
                    "searched_head TEXT",
                ])
        ])
}
