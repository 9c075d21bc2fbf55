/// The twelfth schema: the notices before the end of an overlap.
enum SchemaV12 {
    static let migration = Migration(
        "12 notices of retirement",
        [
            .columns(
                to: "keys",
                [
                    // The shortest notice that was sent or skipped, in milliseconds, and the end of the overlap that it is about.
                    "retirement_notice_sent INTEGER",
                    "retirement_notice_for INTEGER",
                ])
        ])
}
