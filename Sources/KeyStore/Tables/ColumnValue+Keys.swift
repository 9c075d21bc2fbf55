internal import Keys

extension Instant: ColumnValue {
    var sqlValue: SQLValue { .integer(milliseconds) }
    init(_ cell: Cell) { self.init(milliseconds: cell.integer) }
}

extension Period: ColumnValue {
    var sqlValue: SQLValue { .integer(milliseconds) }
    init(_ cell: Cell) { self.init(milliseconds: max(0, cell.integer)) }
}

extension KeyID: ColumnValue {
    var sqlValue: SQLValue { .text(text) }
    init(_ cell: Cell) { self.init(stored: cell.text) }
}

extension SecretHash: ColumnValue {
    var sqlValue: SQLValue { .blob(bytes) }
    init(_ cell: Cell) { self.init(cell.blob) }
}

extension PermissionSet: ColumnValue {
    var sqlValue: SQLValue { .text(stored) }
    init(_ cell: Cell) { self.init(stored: cell.text) }
}

extension ResourceScope: ColumnValue {
    var sqlValue: SQLValue { stored.sqlValue }
    init(_ cell: Cell) { self.init(stored: cell.isNull ? nil : cell.text) }
}

extension KeyKind: ColumnValue {}
extension KeyOrigin: ColumnValue {}
extension KeyEnvironment: ColumnValue {}
extension KeyStatus: ColumnValue {}
extension KeyHold.Reason: ColumnValue {}
extension SecretState: ColumnValue {}
extension SecretGrade: ColumnValue {}
extension CheckRecord.Decision: ColumnValue {}
extension LifecycleFacts.RotationNotice: ColumnValue {}
extension Finding.Status: ColumnValue {}
extension FindingGrade: ColumnValue {}
extension AlertKind: ColumnValue {}
extension AuditAction: ColumnValue {}
