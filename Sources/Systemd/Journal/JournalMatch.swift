/// A condition on stored entries: a field has this value.
package struct JournalMatch: Hashable, Sendable {
    /// The field. A writer cannot forge those that journald adds (`_UID`, `_SYSTEMD_UNIT`).
    package let field: String
    /// The complete value.
    package let value: String

    package init(_ field: String, _ value: String) {
        self.field = field
        self.value = value
    }
}
