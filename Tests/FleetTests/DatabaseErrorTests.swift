import Fleet
import Keys
import PostgreSQL
import Testing

@Suite("Errors of a fleet's database, for people")
struct DatabaseErrorTests {
    @Test(
        "each says what happened and what to do",
        arguments: [
            (.noLibrary, "libpq is not installed", "apt install libpq5"),
            (.invalidAddress("it is odd"), "cannot be used: it is odd", "postgresql://"),
            (.unreachable(["a: no", "b: no"]), "cannot be reached: a: no; b: no", "pg_isready"),
            (.unreachable(["fe_sendauth: no password supplied"]), "no password supplied", "passfile="),
            (.unreachable(["FATAL:  no pg_hba.conf entry for host"]), "no pg_hba.conf entry", "pg_hba.conf"),
            (.unreachable(["root certificate file \"/x\" does not exist"]), "certificate", "sslrootcert="),
            (.unreachable(["FATAL:  role \"a\" does not exist"]), "role \"a\"", "createuser"),
            (.refused(.pooled), "a pooler before the database", "server itself"),
            (.refused(.standby), "a standby", "HOST1,HOST2"),
            (.refused(.formerPrimary(timeline: 1, known: 2)), "its timeline is 1, the fleet's is 2", "pg_rewind"),
            (.refused(.otherSystem), "another database than the fleet's", "address"),
            (.refused(.olderVersion(12)), "PostgreSQL 12, and 13 is the oldest", "pg_upgrade"),
            (
                .failed(state: "42501", message: "permission denied", constraint: nil), "does not allow it",
                "keyvigil_host"
            ),
            (.failed(state: "55P03", message: "", constraint: nil), "holds a lock", "pg_stat_activity"),
            (
                .failed(state: "53300", message: "too many clients", constraint: nil), "no more connections",
                "max_connections"
            ),
            (.lost("no answer in time"), "nothing was changed: no answer in time", "run it again"),
            (.unknownOutcome("no answer in time"), "while it committed", "run it again"),
            (.unexpectedType(column: "seq"), "the column seq", "by hand"),
        ] as [(PostgreSQLError, String, String)])
    func words(error: PostgreSQLError, message: String, hint: String) {
        let explained = DatabaseError(error)
        #expect(explained.message.contains(message), "\(explained.message)")
        #expect(explained.hint?.contains(hint) == true, "\(explained.hint ?? "")")
        #expect(!explained.message.hasSuffix(".") && explained.hint?.hasSuffix(".") == false)
    }

    @Test("what a server says is escaped, and bounded")
    func foreign() {
        let error = DatabaseError(
            .failed(state: "XX000", message: "\u{1B}[2J" + String(repeating: "x", count: 5000), constraint: nil))
        #expect(!error.message.contains("\u{1B}") && error.message.count < 600 && error.message.contains("XX000"))
    }
}
