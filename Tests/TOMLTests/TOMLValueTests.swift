import TOML
import Testing

@Suite("Values of TOML")
struct TOMLValueTests {
    @Test(
        "each type is read as TOML 1.0 defines it",
        arguments: [
            ("true", .boolean(true)), ("false", .boolean(false)),
            ("0", .integer(0)), ("+99", .integer(99)), ("-17", .integer(-17)), ("1_000", .integer(1000)),
            ("0xDEAD_beef", .integer(0xDEAD_BEEF)), ("0o755", .integer(0o755)), ("0b1101", .integer(0b1101)),
            ("0x00ff", .integer(255)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775807", .integer(.max)),
            ("+1.0", .float(1)), ("-0.01", .float(-0.01)), ("5e+22", .float(5e22)), ("1e06", .float(1e6)),
            ("6.626e-34", .float(6.626e-34)), ("224_617.445_991_228", .float(224617.445991228)),
            ("inf", .float(.infinity)),
            ("-inf", .float(-.infinity)), ("0e0", .float(0)),
            ("\"\"", .string("")), ("''", .string("")),
            (#""a\tb\u00E9\U0001F511\\\"""#, .string("a\tb\u{E9}\u{1F511}\\\"")),
            (#"'C:\n'"#, .string(#"C:\n"#)), ("\"\"\"\na\n b\"\"\"", .string("a\n b")),
            ("\"\"\"a\\  \n\n  b\"\"\"", .string("ab")), ("\"\"\"\"two\"\"\"\"\"", .string("\"two\"\"")),
            ("'''\r\nx''y'''", .string("x''y")), ("\"\"\"\\\"\"\"\"", .string("\"")),
            ("[]", .array([])), ("{}", nil),
        ] as [(String, TOMLValue.Content?)])
    func content(text: String, expected: TOMLValue.Content?) throws {
        let value = try #require(try read("a = \(text)\nb = 1\n")["a"])
        if let expected { #expect(value.content == expected) } else { #expect(value.table?.entries.isEmpty == true) }
    }

    @Test("nan is a float, with any sign", arguments: ["nan", "+nan", "-nan"])
    func nan(text: String) throws {
        #expect(try read("a = \(text)")["a"]?.float?.isNaN == true)
    }

    @Test(
        "dates and times are read, and shown as RFC 3339 writes them",
        arguments: [
            ("1979-05-27T07:32:00Z", "1979-05-27T07:32:00Z"),
            ("1979-05-27 00:32:00.5-07:00", "1979-05-27T00:32:00.5-07:00"),
            ("1979-05-27t00:32:00.999999999z", "1979-05-27T00:32:00.999999999Z"),
            ("1979-05-27T00:32:00.1234567899", "1979-05-27T00:32:00.123456789"),
            ("1979-05-27", "1979-05-27"), ("2000-02-29", "2000-02-29"), ("0001-01-01", "0001-01-01"),
            ("07:32:00", "07:32:00"), ("23:59:60", "23:59:60"), ("00:00:00.250", "00:00:00.25"),
            ("1990-12-31T23:59:60+05:30", "1990-12-31T23:59:60+05:30"),
        ])
    func dates(text: String, shown: String) throws {
        let value = try #require(try read("a = \(text) # a comment")["a"]?.dateTime)
        #expect(value.description == shown)
        #expect(try read("a = \(shown)")["a"]?.dateTime == value)
    }

    @Test("names may be bare, quoted and dotted, and make tables")
    func names() throws {
        let table = try read(
            """
            "quoted name".'a.b'.1-x_ = 1
            "quoted name" . other = 2
            "" = 3
            [x . "y z" .w]
            v = 4
            [x]
            u = 5
            """)
        let quoted = try #require(table["quoted name"]?.table)
        #expect(quoted["a.b"]?.table?["1-x_"]?.integer == 1 && quoted["other"]?.integer == 2)
        #expect(table[""]?.integer == 3)
        let x = try #require(table["x"]?.table)
        #expect(x["y z"]?.table?["w"]?.table?["v"]?.integer == 4 && x["u"]?.integer == 5)
        #expect(table.entries.map(\.name) == ["quoted name", "", "x"])
    }

    @Test("names that differ in their code points are two names, though they look the same")
    func spellings() throws {
        let table = try read("\"caf\u{E9}\" = 1\n\"cafe\u{301}\" = 2")
        #expect(table["caf\u{E9}"]?.integer == 1 && table["cafe\u{301}"]?.integer == 2 && table.entries.count == 2)
    }

    @Test("lists of tables take up what follows each header, and tables below it")
    func lists() throws {
        let table = try read(
            """
            [[place]]
            path = "/a"
            [place.rule]
            strict = true
            [[place.tag]]
            [[place]]
            path = "/b"
            [[place.tag]]
            n = 1
            [[place.tag]]
            n = 2
            """)
        let places = try #require(table["place"]?.array).compactMap(\.table)
        #expect(places.map { $0["path"]?.string } == ["/a", "/b"])
        #expect(places.first?["rule"]?.table?["strict"]?.boolean == true)
        #expect(places.map { $0["tag"]?.array?.count } == [1, 2])
    }

    @Test("every value and name knows its line and column, counted in characters")
    func positions() throws {
        let table = try read(
            "\u{FEFF}# \u{1F511}\r\n[ scan ]\r\n\t\"\u{E9}\" = [\"\u{E9}\u{E9}\", { x = 1,\ty.z = '''\n\n''' }, # \u{E9}\n  2]\nn = 3\n"
        )
        let scan = try #require(table.entry("scan"))
        #expect(scan.position == TOMLPosition(line: 2, column: 3) && scan.value.position == scan.position)
        let list = try #require(scan.value.table?.entry("\u{E9}"))
        #expect(list.position == TOMLPosition(line: 3, column: 2))
        #expect(list.value.position == TOMLPosition(line: 3, column: 8))
        let elements = try #require(list.value.array)
        #expect(elements.map(\.position.line) == [3, 3, 6] && elements.map(\.position.column) == [9, 15, 3])
        let inline = try #require(elements[1].table)
        #expect(inline.entry("x")?.value.position == TOMLPosition(line: 3, column: 21))
        #expect(inline.entry("y")?.position == TOMLPosition(line: 3, column: 24))
        #expect(scan.value.table?.entry("n")?.position == TOMLPosition(line: 7, column: 1))
    }

    @Test(
        "an empty text, comments and blank lines are an empty table",
        arguments: ["", "\n", "# x", "\r\n\t \n#\n", "\u{FEFF}"])
    func empty(text: String) throws {
        #expect(try read(text).entries.isEmpty)
    }

    private func read(_ text: String) throws -> TOMLTable { try TOMLTable(parsing: Array(text.utf8)) }
}
