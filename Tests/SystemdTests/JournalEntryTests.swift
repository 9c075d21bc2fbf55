import Testing

@testable import Systemd

@Suite("Journal entries")
struct JournalEntryTests {
    @Test(
        "field names which journald drops are refused",
        arguments: [
            "", "lower", "_TRUSTED", "9LIVES", "WITH SPACE", "WITH=EQUALS", "ÄÖ", "A-B", "A\nB",
            String(repeating: "A", count: 65),
        ])
    func refusedNames(name: String) {
        #expect(JournalFieldName(validating: name) == nil)
    }

    @Test(
        "field names which journald keeps are accepted",
        arguments: [
            "A", "KEYVIGIL_KEY_ID", "B2", "C_",
            String(repeating: "Z", count: 64),
        ])
    func acceptedNames(name: String) {
        #expect(JournalFieldName(validating: name)?.description == name)
    }

    @Test("a plain value is one line")
    func plain() {
        var entry = JournalEntry(message: "ü", priority: .critical, messageID: "0a", identifier: "test")
        entry.append("EMPTY", "")
        #expect(
            String(decoding: entry.encoded(), as: UTF8.self)
                == "MESSAGE=ü\nMESSAGE_ID=0a\nPRIORITY=2\nSYSLOG_IDENTIFIER=test\nEMPTY=\n")
    }

    @Test("a value with a newline carries its length, so that it cannot forge a field")
    func framed() {
        var entry = JournalEntry()
        entry.append("PATH", "a\nPRIORITY=0")
        #expect(
            entry.encoded()
                == Array("PATH\n".utf8) + [12, 0, 0, 0, 0, 0, 0, 0] + Array("a\nPRIORITY=0\n".utf8))
    }

    @Test("the length of a long value takes more than one byte")
    func long() {
        var entry = JournalEntry()
        entry.append("A", bytes: [UInt8](repeating: 10, count: 0x01_02_03))
        #expect(Array(entry.encoded()[2..<10]) == [3, 2, 1, 0, 0, 0, 0, 0])
    }

    @Test("repeated names are kept in order")
    func repeated() {
        var entry = JournalEntry()
        entry.append("A", "1")
        entry.append("A", "2")
        #expect(entry.fields.map { String(decoding: $0.value, as: UTF8.self) } == ["1", "2"])
    }

    @Test("the more urgent priority is the lesser")
    func priorities() {
        #expect(JournalPriority.critical < .warning)
        #expect(JournalPriority.allCases.map(\.rawValue) == Array(0...7))
    }
}
