internal import Errors
internal import Keys
package import PostgreSQL

/// An error of the database, for a person: what happened, and what to do.
package struct DatabaseError: ExplainedError, Equatable {
    package let message: String
    package let hint: String?

    package init(_ error: PostgreSQLError) {
        (message, hint) = Self.words(for: error)
    }

    private static func words(for error: PostgreSQLError) -> (String, String?) {
        switch error {
        case .noLibrary: ("libpq is not installed, or is too old", "install it: apt install libpq5")
        case .invalidAddress(let reason):
            (
                "the address of the database cannot be used: \(reason)",
                "write it as postgresql://USER@HOST/DATABASE, or postgresql:///DATABASE for a server on this machine"
            )
        case .unreachable(let reasons): unreachable(reasons)
        case .refused(let refusal): words(for: refusal)
        case .failed("42501", let reason, _):
            (
                "the database does not allow it: \(shown(reason))",
                "see which roles the login has: psql -c '\\du'; a host needs keyvigil_host; fleet migrate, fleet remove and migrate --to-fleet need the owner of the database"
            )
        case .failed("55P03", _, _):
            (
                "another session holds a lock in the database for too long",
                "run it again; who holds it: SELECT pid, query FROM pg_stat_activity WHERE state <> 'idle'"
            )
        case .failed("53300", let reason, _):
            ("the database takes no more connections: \(shown(reason))", "raise max_connections of the server")
        case .failed(let state, let reason, _): ("the database refused a statement (\(state)): \(shown(reason))", nil)
        case .lost(let reason):
            ("the connection to the database was lost, and nothing was changed: \(shown(reason))", "run it again")
        case .unknownOutcome(let reason):
            (
                "the connection to the database was lost while it committed: \(shown(reason))",
                "whether it was done is not known: run it again, which does no harm"
            )
        case .unexpectedType(let column):
            (
                "the column \(column) of the database has another type than this version knows",
                "see who has changed the schema 'keyvigil' by hand"
            )
        }
    }

    private static func unreachable(_ reasons: [String]) -> (String, String?) {
        let all = reasons.map(shown).joined(separator: "; ")
        // libpq's own words, in the language of the process, which sets none.
        let hint =
            if all.contains("password") || all.contains("pg_hba.conf") || all.contains("authentication failed") {
                "see pg_hba.conf of the server; a password is the systemd credential fleet-password, or in the file that passfile= in the address names, or in ~/.pgpass"
            } else if all.contains("does not match host name") {
                "write a name that the certificate has into the address (hostaddr= says where it is), or give the server a certificate for this name"
            } else if all.contains("server does not support SSL") {
                "set ssl = on in postgresql.conf, with a certificate for the name in the address"
            } else if all.contains("certificate verify failed") {
                "name the file of the server's authority in the address, sslrootcert=/etc/keyvigil/db-ca.pem, and see whether the clock of this machine is right: a certificate is valid from a date on"
            } else if all.contains("certificate") || all.contains("SSL") {
                "name the file of the authority in the address: sslrootcert=/etc/keyvigil/db-ca.pem"
            } else if all.contains("does not exist") {
                "make the database and the login first: createdb, createuser"
            } else {
                "see whether the server runs, and who may connect: pg_isready -d ADDRESS"
            }
        return ("the database cannot be reached: \(all)", hint)
    }

    private static func words(for refusal: PostgreSQLError.Refusal) -> (String, String?) {
        switch refusal {
        case .pooled:
            (
                "there is a pooler before the database, in which notifications and locks are lost",
                "connect to the server itself: its port is 5432 unless it says otherwise, a pooler's often 6432"
            )
        case .standby:
            (
                "the database is a standby, and takes no changes",
                "name all servers in the address: postgresql://USER@HOST1,HOST2/DATABASE"
            )
        case .formerPrimary(let timeline, let known):
            (
                "the server is a primary from before a failover: its timeline is \(timeline), the fleet's is \(known)",
                "stop it, and make it a standby of the new primary: pg_rewind(1)"
            )
        case .otherSystem:
            (
                "the server has another database than the fleet's",
                "see the address; after a restore to a new server, run keyvigil fleet migrate and restart the hosts"
            )
        case .olderVersion(let version):
            ("the server is PostgreSQL \(version), and 13 is the oldest that is supported", "upgrade it: pg_upgrade(1)")
        }
    }

    private static func shown(_ reason: String) -> String { DisplayText.escaped(reason, limit: 400) }
}
