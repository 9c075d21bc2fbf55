internal import PostgreSQL

extension FleetSchemaV1 {
    /// On which rows a host may do what its role may do. The owner of the tables is not bound by them.
    static let rules: [Statement] =
        ["audit_events", "audit_chains", "hosts", "feeds", "changes", "alerts"].flatMap { table -> [Statement] in
            [
                Statement(stringLiteral: "ALTER TABLE keyvigil.\(table) ENABLE ROW LEVEL SECURITY"),
                Statement(stringLiteral: "CREATE POLICY all_are_read ON keyvigil.\(table) FOR SELECT USING (true)"),
            ]
        } + [
            """
            CREATE POLICY own_chain ON keyvigil.audit_events FOR INSERT
              WITH CHECK (event_id >> 40 = (SELECT keyvigil.own_host()))
            """,
            """
            CREATE POLICY own_chain ON keyvigil.audit_chains FOR INSERT
              WITH CHECK (host = (SELECT keyvigil.own_host()))
            """,
            """
            CREATE POLICY own_chain_goes_on ON keyvigil.audit_chains FOR UPDATE
              USING (host = (SELECT keyvigil.own_host()))
            """,
            """
            CREATE POLICY own_row ON keyvigil.hosts FOR INSERT
              WITH CHECK (login = session_user AND removed_at IS NULL)
            """,
            """
            CREATE POLICY own_row_changes ON keyvigil.hosts FOR UPDATE
              USING (login = session_user AND removed_at IS NULL)
            """,
            """
            CREATE POLICY own_feed ON keyvigil.feeds FOR INSERT WITH CHECK (host = (SELECT keyvigil.own_host()))
            """,
            """
            CREATE POLICY own_feed_goes_on ON keyvigil.feeds FOR UPDATE USING (host = (SELECT keyvigil.own_host()))
            """,
            """
            CREATE POLICY own_feed ON keyvigil.changes FOR INSERT WITH CHECK (host = (SELECT keyvigil.own_host()))
            """,
            """
            CREATE POLICY taken_by_no_other ON keyvigil.alerts FOR INSERT
              WITH CHECK ((SELECT keyvigil.own_host()) IS NOT NULL
                AND (taken_by IS NULL OR taken_by = (SELECT keyvigil.own_host())))
            """,
            """
            CREATE POLICY taken_once ON keyvigil.alerts FOR UPDATE
              USING (taken_by IS NULL OR taken_by = (SELECT keyvigil.own_host()))
              WITH CHECK (taken_by = (SELECT keyvigil.own_host()))
            """,
            """
            CREATE POLICY delivered_ones_go ON keyvigil.alerts FOR DELETE
              USING (delivered_at IS NOT NULL AND (SELECT keyvigil.own_host()) IS NOT NULL)
            """,
        ]
}
