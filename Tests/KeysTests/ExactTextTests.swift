import Keys
import Testing

@Suite("Texts that are equal byte by byte")
struct ExactTextTests {
    static let spellings = [
        ("caf\u{E9}", "cafe\u{301}"), ("K", "\u{212A}"), ("\u{C5}", "\u{212B}"), ("a\u{323}\u{307}", "a\u{307}\u{323}"),
    ]

    @Test("two spellings of one text are two", arguments: spellings)
    func equality(_ first: String, _ second: String) {
        #expect(first == second)
        #expect(ExactText(first) != ExactText(second) && !first.isExactly(second))
        #expect(Set([ExactText(first), ExactText(second), ExactText(first)]).count == 2)
        #expect([first, second, first].distinctByBytes.count == 2)
        #expect((ExactText(first) < ExactText(second)) != (ExactText(second) < ExactText(first)))
    }

    @Test("a resource scope allows its resource, and no other spelling of it", arguments: spellings)
    func scopes(_ first: String, _ second: String) throws {
        for (held, other) in [(first, second), (second, first)] {
            let scope = try ResourceScope(parsing: [held])
            #expect(scope.includes(held) && !scope.includes(other))
            #expect(ResourceScope(stored: scope.stored).includes(held))
        }
        let both = try ResourceScope(parsing: [first, second])
        #expect(both.includes(first) && both.includes(second))
    }

    @Test("a permission allows exactly its own")
    func permissions() throws {
        let set = try PermissionSet(parsing: ["K", "mcp:*"])
        #expect(set.allows("K") && !set.allows("\u{212A}"))
        #expect(set.allows("mcp:x") && !set.allows("mcp"))
        // A combining mark after the colon makes another character of it to people; the bytes are those of the prefix.
        #expect(set.allows("mcp:\u{301}"))
    }

    @Test(
        "a name that begins like an id",
        arguments: ["key_AbCd", "key_0123456789abcdef", "key_0123456789abcdefg", "key_prod-eu"])
    func names(_ name: String) { #expect(KeyID.beginsLike(name)) }

    @Test("names that do not", arguments: ["key", "key_", "key_abc", "key_a-bcd", "monkey_abcd", "KEY_abcd"])
    func otherNames(_ name: String) { #expect(!KeyID.beginsLike(name)) }

    @Test("hexadecimal digits, and nothing that an integer may have besides")
    func hexadecimal() {
        #expect(Hexadecimal.bytes("00fFa1".utf8) == [0, 0xFF, 0xA1] && Hexadecimal.text([0, 0xFF, 0xA1]) == "00ffa1")
        for wrong in ["+f", "-1", "0", "0x", " 1", "1 ", "g0", "１１"] { #expect(Hexadecimal.bytes(wrong.utf8) == nil) }
        #expect(Hexadecimal.bytes("".utf8) == [])
    }
}
