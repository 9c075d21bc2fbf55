internal import Errors
internal import Keys
internal import PostgreSQL

/// Why the database of a fleet cannot be used as it is.
package enum FleetError: ExplainedError, Equatable {
    /// The database has no fleet.
    case noSchema
    /// The database has a schema of the same name that is no fleet's.
    case foreignSchema
    /// The schema is of an older version than this program works with.
    case olderSchema(version: Int, needed: Int)
    /// The schema is of a version that this program does not know.
    case newerSchema(version: Int, known: Int)
    /// The schema belongs to another role than the one that wants to change it.
    case otherOwner(owner: String, caller: String)
    /// Roles are missing, and the caller may not make them.
    case mayNotMakeRoles([String], caller: String)
    /// The database does not store texts in UTF-8.
    case otherEncoding(String, database: String)
    /// The caller may not make a schema in the database.
    case mayNotCreate(database: String, caller: String)

    package var message: String {
        switch self {
        case .noSchema: "the database has no fleet"
        case .foreignSchema: "the database has a schema 'keyvigil' that is not a fleet's"
        case .olderSchema(let version, let needed):
            "the database of the fleet has the schema \(version), and this version of Keyvigil needs \(needed)"
        case .newerSchema(let version, let known):
            "the database of the fleet has the schema \(version), and this version of Keyvigil knows \(known)"
        case .otherOwner(let owner, let caller):
            "the schema 'keyvigil' belongs to the role \(DisplayText.quoted(owner, limit: 64)), not to "
                + DisplayText.quoted(caller, limit: 64)
        case .mayNotMakeRoles(let roles, let caller):
            "the database lacks \(roles.count == 1 ? "the role" : "the roles") \(roles.joined(separator: " and ")), and the role "
                + "\(DisplayText.quoted(caller, limit: 64)) may not make roles"
        case .otherEncoding(let encoding, let database):
            "the database \(DisplayText.quoted(database, limit: 64)) has the encoding \(DisplayText.quoted(encoding, limit: 64))"
        case .mayNotCreate(let database, let caller):
            "the role \(DisplayText.quoted(caller, limit: 64)) may not make a schema in the database "
                + DisplayText.quoted(database, limit: 64)
        }
    }

    package var hint: String? {
        switch self {
        case .noSchema: "make it, as the owner of the database: keyvigil fleet migrate --database ADDRESS"
        case .foreignSchema: "use another database: createdb -E UTF8 -T template0 keyvigil"
        case .olderSchema:
            "bring it up to date, as the owner of the database: keyvigil fleet migrate --database ADDRESS"
        case .newerSchema: "install the version of Keyvigil that the other hosts have, or a later one"
        case .otherOwner: "connect as its owner: --database \"postgresql:///DATABASE?user=OWNER\""
        case .mayNotMakeRoles(let roles, _):
            "make them as a superuser of the server, then run this again: sudo -u postgres psql "
                + roles.map { "-c 'CREATE ROLE \($0) NOLOGIN'" }.joined(separator: " ")
        case .otherEncoding: "make another database: createdb -E UTF8 -T template0 keyvigil"
        case .mayNotCreate: "connect as the owner of the database: --database \"postgresql:///DATABASE?user=OWNER\""
        }
    }
}
