internal import KeyStore
internal import PostgreSQL

/// The roles of a fleet's database, and what they may do. Each member signs in as a role of its own, which is granted one of these. They have
/// no rights but those that a member's statements need; the policies of the tables say on which rows.
enum FleetRoles {
    /// A member: the daemon and the tool of a host.
    static let host = "keyvigil_host"
    /// A member that only verifies.
    static let verifier = "keyvigil_verifier"

    /// Makes the roles that are missing. They belong to the whole server, and are not in a dump of one database.
    ///
    /// - Returns: those that were made.
    /// - Throws: ``FleetError`` where the caller may not make roles; ``PostgreSQLError``.
    static func make(_ connection: inout Connection, before deadline: Deadline) throws -> [String] {
        let rows = try connection.read(
            [
                """
                SELECT name, (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_make,
                  current_user AS caller
                FROM unnest(\(List([host, verifier]))) AS wanted (name)
                WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) ORDER BY name
                """
            ], before: deadline)[0]
        let missing = try rows.map { try $0["name"] as String }
        guard let row = rows.first else { return [] }
        guard try row["may_make"] == true else {
            throw FleetError.mayNotMakeRoles(missing, caller: try row["caller"])
        }
        try connection.run(missing.map { Statement(stringLiteral: "CREATE ROLE \($0) NOLOGIN") }, before: deadline)
        return missing
    }

    /// What the roles may do, said as a whole: what an earlier version granted and this one does not is taken away.
    static var grants: [Statement] {
        [
            "REVOKE ALL ON ALL TABLES IN SCHEMA keyvigil FROM keyvigil_host, keyvigil_verifier",
            "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA keyvigil FROM PUBLIC, keyvigil_host, keyvigil_verifier",
            "GRANT USAGE ON SCHEMA keyvigil TO keyvigil_host, keyvigil_verifier",
            """
            GRANT EXECUTE ON FUNCTION keyvigil.must(boolean), keyvigil.digest(text), keyvigil.own_host()
              TO keyvigil_host, keyvigil_verifier
            """,
            "GRANT EXECUTE ON FUNCTION keyvigil.trim_changes(bigint) TO keyvigil_host",
            "GRANT EXECUTE ON FUNCTION keyvigil.leave() TO keyvigil_host, keyvigil_verifier",
            "GRANT SELECT ON ALL TABLES IN SCHEMA keyvigil TO keyvigil_host",
            """
            GRANT SELECT ON keyvigil.fleet, keyvigil.hosts, keyvigil.feeds, keyvigil.changes, keyvigil.merged_peppers
              TO keyvigil_verifier
            """,
            Statement(
                stringLiteral: "GRANT SELECT ON \(names(SharedTable.names)) TO keyvigil_verifier"),
            Statement(
                stringLiteral: "GRANT INSERT ON \(names(SharedTable.names)) TO keyvigil_host"),
            """
            GRANT INSERT ON keyvigil.feeds, keyvigil.changes, keyvigil.alerts, keyvigil.merged_peppers TO keyvigil_host
            """,
        ] + liveness + changes
    }

    private static func names(_ tables: [String]) -> String {
        tables.map { "keyvigil.\($0)" }.joined(separator: ", ")
    }

    /// A member adds itself to the hosts, and says how it is. Its number, its name and its login stay.
    private static let liveness: [Statement] = ["keyvigil_host", "keyvigil_verifier"].map { role in
        let columns =
            "machine, nonce, version, schema, seen_at, fresh_until, positions, undelivered, last_scan_at, policy, "
            + "peppers, scan_sources, scan_heard, scan_done, scan_began_at, scan_ended_at, scan_places"
        return Statement(
            stringLiteral:
                "GRANT INSERT (name, \(columns)), UPDATE (\(columns)) ON keyvigil.hosts TO \(role)")
    }

    /// What a member changes and removes. Keys, their secrets and the audit are never removed, and no event is changed; what makes a key
    /// or a secret what it is stays as it was.
    private static let changes: [Statement] = [
        """
        GRANT UPDATE (name, owner, permissions, resources, status, created_at, expires_at, rotate_every, rotated_at,
          last_used_at, revoked_at, revoke_reason, deleted_at, generation, expiry_notice_sent, rotation_notice,
          unused_notice_sent, reuse_told_at, next_due_at, notes, client, stated_by, stated_at, expiry_notice_for,
          rotation_notice_for, unused_notice_for, on_hold_at, on_hold_reason, seal, retirement_notice_sent,
          retirement_notice_for, version)
          ON keyvigil.keys TO keyvigil_host
        """,
        // The hash and the length of a secret become known when its issuer accepts what was found.
        """
        GRANT UPDATE (state, hash, length, hash_form, made_at, retires_at, retired_at, check_decision, check_decided_at,
          check_problem, check_problem_at, digest_hash, seal)
          ON keyvigil.secrets TO keyvigil_host
        """,
        "GRANT UPDATE (name, audit_count, audit_head, audit_seal, clock) ON keyvigil.audit_chains TO keyvigil_host",
        """
        GRANT UPDATE ON keyvigil.repositories, keyvigil.unlisted_findings, keyvigil.incidents, keyvigil.refused_candidates
          TO keyvigil_host
        """,
        """
        GRANT UPDATE, DELETE ON keyvigil.findings, keyvigil.finding_objects, keyvigil.expected_places,
          keyvigil.unregistered_secrets, keyvigil.unregistered_places TO keyvigil_host
        """,
        "GRANT UPDATE (seq, clock, head) ON keyvigil.feeds TO keyvigil_host",
        """
        GRANT UPDATE (pepper_fingerprint, policy, scan_request, scan_asked_at) ON keyvigil.fleet TO keyvigil_host
        """,
        "GRANT UPDATE (used_at) ON keyvigil.merged_peppers TO keyvigil_host",
        "GRANT UPDATE (taken_by, taken_at, delivered_at), DELETE ON keyvigil.alerts TO keyvigil_host",
    ]
}
