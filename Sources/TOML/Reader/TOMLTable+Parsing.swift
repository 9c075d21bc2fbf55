extension TOMLTable {
    /// Reads a text.
    ///
    /// - Parameters:
    ///   - text: a document of TOML 1.0.0 (https://toml.io/en/v1.0.0) in UTF-8; a byte order mark at its start is skipped.
    ///   - limits: what the text may demand.
    /// - Throws: ``TOMLError`` for the first mistake.
    package init(parsing text: [UInt8], limits: TOMLLimits = TOMLLimits()) throws(TOMLError) {
        self = try DocumentReader.table(of: text, limits: limits)
    }
}
