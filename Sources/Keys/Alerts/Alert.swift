/// A message to the operator, which becomes one journal entry.
package struct Alert: Hashable, Sendable {
    /// The journal fields of an alert beyond the common ones, in the order in which an entry has them.
    package enum Field: String, CaseIterable, Hashable, Sendable {
        case keyID = "KEYVIGIL_KEY_ID"
        case keyName = "KEYVIGIL_KEY_NAME"
        case prefix = "KEYVIGIL_PREFIX"
        case owner = "KEYVIGIL_OWNER"
        case issuer = "KEYVIGIL_ISSUER"
        case environment = "KEYVIGIL_ENVIRONMENT"
        case origin = "KEYVIGIL_ORIGIN"
        case expiresAt = "KEYVIGIL_EXPIRES_AT"
        case rotationDueAt = "KEYVIGIL_ROTATION_DUE_AT"
        case lastUsedAt = "KEYVIGIL_LAST_USED_AT"
        case grade = "KEYVIGIL_GRADE"
        case secretState = "KEYVIGIL_SECRET_STATE"
        case condition = "KEYVIGIL_CONDITION"
        case source = "KEYVIGIL_SOURCE"
        case repository = "KEYVIGIL_REPOSITORY"
        case object = "KEYVIGIL_OBJECT"
        case commit = "KEYVIGIL_COMMIT"
        case author = "KEYVIGIL_AUTHOR"
        case authoredAt = "KEYVIGIL_AUTHORED_AT"
        case path = "KEYVIGIL_PATH"
        case line = "KEYVIGIL_LINE"
        case column = "KEYVIGIL_COLUMN"
        case form = "KEYVIGIL_FORM"
        case inHead = "KEYVIGIL_IN_HEAD"
        case objects = "KEYVIGIL_OBJECTS"
        case bytes = "KEYVIGIL_BYTES"
        case findings = "KEYVIGIL_FINDINGS"
        case incident = "KEYVIGIL_INCIDENT"
        case caller = "KEYVIGIL_CALLER"
        case store = "KEYVIGIL_STORE"
        case auditCount = "KEYVIGIL_AUDIT_COUNT"
        case auditHead = "KEYVIGIL_AUDIT_HEAD"
        case rollBacks = "KEYVIGIL_ROLL_BACKS"
        case reason = "KEYVIGIL_REASON"
        case remedy = "KEYVIGIL_REMEDY"
        /// Of an alert that a host of a fleet reports although the journal of another one, which was removed, may have it: `yes`.
        case retold = "KEYVIGIL_RETOLD"
    }

    package let kind: AlertKind
    package let priority: AlertPriority
    /// One line for people.
    package let message: String
    package let fields: [Field: String]

    /// - Parameters:
    ///   - message: one line for people; names in it are quoted.
    ///   - fields: of ``Field/isWording`` what the program says, of the others the values as they are.
    package init(kind: AlertKind, priority: AlertPriority, message: Wording, fields: [Field: String] = [:]) {
        self.kind = kind
        self.priority = priority
        self.message = message.text
        self.fields = fields
    }

    /// The alert with one more field.
    package func adding(_ field: Field, _ value: String) -> Alert {
        Alert(
            kind: kind, priority: priority, message: Wording(words: message),
            fields: fields.merging([field: value]) { $1 })
    }
}
