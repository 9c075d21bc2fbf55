import TOML
import Testing

@Suite("Mistakes in TOML")
struct TOMLErrorTests {
    @Test(
        "a mistake is refused where it is, with the reason",
        arguments: [
            ("a", 1, 2, "expected '=' after"), ("= 1", 1, 1, "expected a name"), ("a. = 1", 1, 4, "expected a name"),
            ("\n[#a]", 2, 2, "expected a name"), ("[]", 1, 2, "expected a name"),
            ("[a\n]", 1, 3, "the name of a table must"),
            ("[[a]", 1, 5, "the name of a table must"), ("[ [a]]", 1, 3, "expected a name"),
            ("[[a] ]", 1, 5, "the name of a table must"), ("[a] x = 1", 1, 5, "expected the end of the line"),
            ("a = 1 b = 2", 1, 7, "expected the end of the line"), ("a = ", 1, 5, "expected a value"),
            ("a = yes", 1, 5, "expected a value"), ("a = True", 1, 5, "expected a value"),
            ("\"\"\"a\"\"\" = 1", 1, 1, "a name must be on one line"), ("\u{E9} = 1", 1, 1, "expected a name"),
            // Numbers
            ("a = 007", 1, 5, "expected a value: a number has no leading zero"),
            ("a = 9223372036854775808", 1, 5, "expected a value: the number is too large"),
            ("a = 1__0", 1, 5, "expected a value: this is no number"),
            ("a = 1_", 1, 5, "expected a value: this is no number"),
            ("a = 0x", 1, 5, "expected a value: this is no number"),
            ("a = 0xg", 1, 5, "expected a value: this is no number"),
            ("a = +0xF", 1, 5, "expected a value: this is no number"),
            ("a = 1.", 1, 5, "expected a value: this is no number"),
            ("a = .5", 1, 5, "expected a value"), ("a = 1.e2", 1, 5, "expected a value: this is no number"),
            ("a = 03.14", 1, 5, "expected a value: this is no number"),
            ("a = 1e400", 1, 5, "expected a value: this is no number"),
            ("a = infinity", 1, 5, "expected a value"), ("a = --1", 1, 5, "expected a value"),
            // Dates
            ("a = 2023-02-29", 1, 5, "expected a value: this is no date or time"),
            ("a = 1900-02-29T00:00:00Z", 1, 5, "expected a value: this is no date or time"),
            ("a = 2024-01-01T24:00:00Z", 1, 5, "expected a value: this is no date or time"),
            ("a = 2024-01-01T00:00", 1, 5, "expected a value: this is no date or time"),
            ("a = 2024-01-01T00:00:00+24:00", 1, 5, "expected a value: this is no date or time"),
            ("a = 2024-1-01", 1, 5, "expected a value: this is no date or time"),
            ("a = 12:30:00.", 1, 5, "expected a value: this is no date or time"),
            ("a = 2024-01-01 ", 0, 0, ""), ("a = 2024-01-01 x", 1, 16, "expected the end of the line"),
            // Strings
            ("a = \"x", 1, 5, "a text is not closed"), ("a = 'x\n'", 1, 5, "a text is not closed"),
            ("a = '''\n\nx", 1, 5, "a text is not closed"), ("a = \"\"\"x\"\"", 1, 5, "a text is not closed"),
            ("a = \"\\e\"", 1, 6, "a backslash must be followed"), ("a = \"x\\", 1, 7, "a backslash must be followed"),
            ("a = \"\\u00g0\"", 1, 6, "a code point has 4"), ("a = \"\\U0001F51\"", 1, 6, "a code point has 8"),
            ("a = \"\\ud800\"", 1, 6, "no character has this code point"),
            ("a = \"\\UFFFFFFFF\"", 1, 6, "no character has this code point"),
            ("a = \"\u{1}\"", 1, 6, "a text holds a control character"),
            ("a = '\u{7F}'", 1, 6, "a text holds a control character"),
            ("a = '''\r'''", 1, 8, "a text holds a control character"), ("# \u{7}", 1, 3, "a comment holds a control"),
            ("a = 1\rb = 2", 1, 6, "expected the end of the line"), ("a = 1 #\r", 1, 8, "a comment holds a control"),
            // Lists and tables
            ("a = [1 2]", 1, 8, "expected ',' or ']'"), ("a = [1,,2]", 1, 8, "expected a value"),
            ("a = [1,\n\n", 3, 1, "expected a value"), ("a = {x = 1 y = 2}", 1, 12, "expected ',' or '}'"),
            ("a = {x = 1,}", 1, 12, "expected a name"), ("a = {x = 1\n}", 1, 11, "expected ',' or '}'"),
            ("a = }", 1, 5, "expected a value"),
            // What is defined twice
            ("a = 1\na = 2", 2, 1, "a is already defined in line 1"),
            ("[a]\n[b]\n[a]", 3, 2, "a is already defined in line 1"),
            ("a.b = 1\n[a]", 2, 2, "a is already defined"),
            ("[a]\nb.c = 1\n[a.b]", 3, 4, "b is already defined in line 2"),
            ("[a.b]\n[a]\nb.c = 1", 3, 1, "b is already defined in line 1"),
            ("a = {}\na.b = 1", 2, 1, "a is already defined"), ("a = {}\n[a.b]", 2, 2, "a is already defined"),
            ("a = {x.y = 1, x.y.z = 2}", 1, 17, "y is already defined"),
            ("a = []\n[[a]]", 2, 3, "a is already defined"), ("[a]\n[[a]]", 2, 3, "a is already defined"),
            ("[[a]]\n[a]", 2, 2, "a is already defined"), ("[a.b]\n[[a]]", 2, 3, "a is already defined"),
            ("[[a]]\na.b = 1\n[[a]]\n[a.a]\n[a.a]", 5, 4, "a is already defined in line 4"),
            ("a = 1\na.b = 2", 2, 1, "a is already defined"), ("a.b = 1\na.b.c = 2", 2, 3, "b is already defined"),
            ("\"\\u001b[2J\" = 1\n\"\\u001b[2J\" = 2", 2, 1, "\"\\u001B[2J\" is already defined in line 1"),
        ] as [(String, Int, Int, String)])
    func mistakes(text: String, line: Int, column: Int, reason: String) {
        do {
            _ = try TOMLTable(parsing: Array(text.utf8))
            #expect(line == 0)
        } catch {
            #expect(error.position == TOMLPosition(line: line, column: column))
            #expect(error.reason.hasPrefix(reason) && !error.hint.isEmpty, "\(error)")
        }
    }

    @Test(
        "what is not UTF-8 is refused at its first byte",
        arguments: [
            ([0xFF], 1), ([0xC3, 0x28], 1), ([0xED, 0xA0, 0x80], 1), ([0xC3, 0xA9, 0xC0, 0x80], 2), ([0xE2, 0x82], 1),
        ])
    func encoding(bytes: [UInt8], column: Int) {
        let error = #expect(throws: TOMLError.self) { try TOMLTable(parsing: Array("# \n# ".utf8) + bytes) }
        #expect(
            error?.reason == "the text is not UTF-8" && error?.position == TOMLPosition(line: 2, column: 2 + column))
    }

    @Test(
        "what lies too deep is refused, in whatever way",
        arguments: [
            "a = " + String(repeating: "[", count: 100_000), "a = " + String(repeating: "{x=", count: 100_000),
            String(repeating: "a.", count: 100_000) + "a = 1", "[" + String(repeating: "a.", count: 100_000) + "a]",
            "[[" + String(repeating: "a.", count: 64) + "a]]",
            "[" + String(repeating: "a.", count: 40) + "a]\n" + String(repeating: "a.", count: 40) + "a = 1",
        ])
    func depth(text: String) {
        let error = #expect(throws: TOMLError.self) { try TOMLTable(parsing: Array(text.utf8)) }
        #expect(
            error?.reason == "too many tables or lists within each other" && error?.hint == "at most 64 levels are read"
        )
    }

    @Test("the limits are the caller's")
    func limits() throws {
        let text = Array("a = [[1]]".utf8)
        #expect(try TOMLTable(parsing: text, limits: TOMLLimits(bytes: text.count, depth: 3))["a"] != nil)
        #expect(throws: TOMLError.self) {
            try TOMLTable(parsing: text, limits: TOMLLimits(bytes: text.count, depth: 2))
        }
        let error = #expect(throws: TOMLError.self) {
            try TOMLTable(parsing: text, limits: TOMLLimits(bytes: text.count - 1))
        }
        #expect(error?.reason == "the text has 9 bytes")
    }

    @Test("many tables, names and elements are read")
    func many() throws {
        let count = 20_000
        var text = "list = [\(String(repeating: "1,", count: count))]\n"
        for index in 0..<count { text += "name\(index) = \(index)\n" }
        for index in 0..<count { text += "[[t]]\nn = \(index)\n" }
        let table = try TOMLTable(parsing: Array(text.utf8))
        #expect(table["list"]?.array?.count == count && table["name\(count - 1)"]?.integer == Int64(count - 1))
        #expect(table["t"]?.array?.last?.table?["n"]?.integer == Int64(count - 1))
    }
}
