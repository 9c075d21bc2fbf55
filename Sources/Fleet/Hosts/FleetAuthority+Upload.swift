package import KeyStore
internal import PostgreSQL

extension FleetAuthority {
    /// Copies all rows of a store into a database that has none, and compares what is there then with what the store has, row by row; one
    /// transaction. A database that has just these rows already, since the call before was cut off at its end, is left as it is.
    ///
    /// It takes the login of the database's owner: a host may write no events of other chains.
    ///
    /// - Returns: the number of rows of each table.
    package func upload(_ rows: SharedRows) throws -> [(table: String, rows: Int64)] {
        try explaining {
            try use(repeats: false) { connection in
                let names = rows.tables.map { "(SELECT count(*) FROM keyvigil.\($0.name))" }.joined(separator: " + ")
                let begun = try connection.begin(
                    ["SET LOCAL statement_timeout = 0", Statement(stringLiteral: "SELECT \(names) AS rows")],
                    before: .after(Patience.copying))
                let isEmpty = try begun[1].first.map { try $0["rows"] as Int64 == 0 } ?? false
                if isEmpty {
                    for table in rows.tables { try Self.upload(table, rows, &connection) }
                }
                for table in rows.tables where try !Self.isSame(table, rows, &connection) {
                    throw isEmpty ? StoreError.differs(table.name) : StoreError.notEmpty()
                }
                try connection.commit(before: .after(Patience.copying))
                return try rows.tables.map { ($0.name, try rows.count($0)) }
            }
        }
    }

    /// Lets the next host have a number, if there was no host before: that which a store has from a fleet of before.
    ///
    /// It takes the login of the database's owner: who cannot upload is refused before this host is a member.
    ///
    /// - Parameter number: 0 for a store that was of no fleet.
    package func offer(number: Int64) throws {
        try explaining {
            _ = try use(repeats: true) { connection in
                try connection.run(
                    [
                        // Hosts have no right to.
                        "UPDATE keyvigil.fleet SET fleet_id = fleet_id",
                        """
                        SELECT setval(pg_get_serial_sequence('keyvigil.hosts', 'host'), \(number), false)
                        WHERE \(number) > 0 AND NOT EXISTS (SELECT FROM keyvigil.hosts)
                        """,
                    ], before: .after(patience.changing))
            }
        }
    }

    /// Gives hosts that join later greater numbers than all that have written events of the store.
    ///
    /// It takes the login of the database's owner.
    package func reserveNumbers(through greatest: Int64) throws {
        try explaining {
            _ = try use(repeats: true) { connection in
                try connection.run(
                    [
                        """
                        SELECT setval(pg_get_serial_sequence('keyvigil.hosts', 'host'), \(greatest))
                        WHERE \(greatest) > (SELECT max(host) FROM keyvigil.hosts)
                        """
                    ], before: .after(patience.changing))
            }
        }
    }

    private static func upload(_ table: SharedTable, _ rows: SharedRows, _ connection: inout Connection) throws {
        let empty = table.columns.map { ColumnList(of: $0) }
        var (part, count) = (empty, 0)
        func send(_ connection: inout Connection) throws {
            guard count > 0 else { return }
            var text = StatementText()
            text.appendInsertion(into: table, part)
            try connection.run([text.statement], before: .after(Patience.copying))
            (part, count) = (empty, 0)
        }
        try rows.forEach(table) { row in
            for (column, value) in row.enumerated() { try part[column].append(value) }
            count += 1
            if count == rowsAtOnce { try send(&connection) }
        }
        try send(&connection)
    }
}
