/// A condition on stored entries: a field has exactly this value.
package struct JournalMatch: Hashable, Sendable {
    /// The field; those that journald itself adds (`_UID`, `_SYSTEMD_UNIT`) cannot be forged by a writer.
    package let field: String
    /// The whole value.
    package let value: String

    package init(_ field: String, _ value: String) {
        self.field = field
        self.value = value
    }
}
