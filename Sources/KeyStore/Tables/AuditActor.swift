/// Who makes a change, as the audit tells it.
package struct AuditActor: Hashable, Sendable {
    /// The user id of the process.
    package let uid: UInt32
    /// The program, such as `keyvigil rotate`.
    package let program: String
    /// Who is answerable for what the program does, as people name them.
    package let name: String

    /// - Parameter name: nil for the user id.
    package init(uid: UInt32, program: String, name: String? = nil) {
        self.uid = uid
        self.program = program
        self.name = name ?? "user \(uid)"
    }
}
