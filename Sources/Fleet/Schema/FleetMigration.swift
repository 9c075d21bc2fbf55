internal import PostgreSQL

/// How a fleet's database gets from one version of its schema to the next. It is frozen once it has shipped.
struct FleetMigration: Sendable {
    /// The version that it leads to, from 1 on; each is one more than that of the migration before.
    let version: Int
    /// The oldest version whose programs still work with the database afterwards: members are brought up to date one by one.
    let compatibleFrom: Int
    /// What it brings, in a few words.
    let title: String
    /// Run in one transaction.
    let statements: [Statement]
}

/// What ``FleetSchema/migrate(_:before:)`` has found and done.
package struct FleetMigrationReport: Equatable, Sendable {
    /// The version of the schema that was there; 0: there was none.
    package let before: Int
    /// The version that is there now.
    package let after: Int
    /// The titles of the migrations that were made, in their order.
    package let titles: [String]
    /// The roles that were made.
    package let roles: [String]

    /// Whether nothing was there to be done.
    package var isEmpty: Bool { before == after && roles.isEmpty }
}
