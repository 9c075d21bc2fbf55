import Foundation

@testable import LeakScan

/// Forms with many variants: escapes, texts that are split, and lists of numbers.
enum FormVariants {
    typealias Case = FormTests.Case

    /// A way to write one byte.
    struct Escape: Sendable {
        var name: String
        var form: Form
        /// As for `String(format:)`.
        var format: String

        func write(_ byte: UInt8) -> [UInt8] { Array(String(format: format, Int(byte)).utf8) }
    }

    static let ways = [
        Escape(name: "percent", form: .urlEncoded, format: "%%%02x"),
        Escape(name: "PERCENT", form: .urlEncoded, format: "%%%02X"),
        Escape(name: "x", form: .escaped, format: "\\x%02x"),
        Escape(name: "u", form: .escaped, format: "\\u%04X"),
        Escape(name: "octal", form: .escaped, format: "\\%03o"),
        Escape(name: "entity", form: .htmlEscaped, format: "&#%d;"),
        Escape(name: "hexadecimal entity", form: .htmlEscaped, format: "&#x%02x;"),
        Escape(name: "padded entity", form: .htmlEscaped, format: "&#%05d;"),
        Escape(name: "padded hexadecimal entity", form: .htmlEscaped, format: "&#x%04X;"),
        Escape(name: "braced u", form: .escaped, format: "\\u{%04x}"),
        Escape(name: "braced x", form: .escaped, format: "\\x{%x}"),
        Escape(name: "percent u", form: .urlEncoded, format: "%%u%04x"),
        Escape(name: "hexadecimal entity with X", form: .htmlEscaped, format: "&#X%02X;"),
        Escape(name: "RTF", form: .escaped, format: "\\'%02x"),
        Escape(name: "quoted-printable", form: .quotedPrintable, format: "=%02X"),
        Escape(name: "style sheet", form: .escaped, format: "\\%x "),
        Escape(name: "style sheet with six digits", form: .escaped, format: "\\%06X"),
    ]

    /// Which bytes are escaped, by place and value.
    struct Choice: Sendable {
        var name: String
        var isEscaped: @Sendable (Int, UInt8) -> Bool
    }

    static let choices = [
        Choice(name: "all") { _, _ in true },
        Choice(name: "the first") { place, _ in place == 0 },
        Choice(name: "the second") { place, _ in place == 1 },
        Choice(name: "the fifth") { place, _ in place == 4 },
        Choice(name: "the eighth") { place, _ in place == 7 },
        Choice(name: "every other") { place, _ in place % 2 == 1 },
        Choice(name: "every third") { place, _ in place % 3 == 0 },
        Choice(name: "signs") { _, byte in !isLetterOrDigit(byte) },
        Choice(name: "some of the secret") { place, _ in place >= 30 },
    ]

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
    }

    static func escaped(_ bytes: [UInt8], _ choice: Choice, _ way: Escape) -> [UInt8] {
        bytes.enumerated().flatMap { choice.isEscaped($0.offset, $0.element) ? way.write($0.element) : [$0.element] }
    }

    static func replaced(_ bytes: [UInt8], _ mark: Character, _ text: String) -> [UInt8] {
        bytes.flatMap { $0 == mark.asciiValue ? Array(text.utf8) : [$0] }
    }

    static var escapes: [Case] {
        var cases: [Case] = []
        for way in ways {
            for choice in choices {
                cases.append(Case("\(way.name), \(choice.name)", way.form) { escaped($0, choice, way) })
            }
        }
        for choice in [choices[0], choices[7], Choice(name: "the first nine") { place, _ in place < 9 }] {
            cases += [
                Case("percent twice, \(choice.name)", .urlEncoded) {
                    replaced(escaped($0, choice, ways[0]), "%", "%25")
                },
                Case("u twice, \(choice.name)", .escaped) { replaced(escaped($0, choice, ways[3]), "\\", "\\\\") },
                Case("octal twice, \(choice.name)", .escaped) {
                    replaced(escaped($0, choice, ways[4]), "\\", "\\\\")
                },
                Case("entity twice, \(choice.name)", .htmlEscaped) {
                    replaced(escaped($0, choice, ways[5]), "&", "&amp;")
                },
            ]
        }
        return cases
    }

    /// What is not shown between two characters.
    static let invisible = [
        "]]><![CDATA[", "<wbr>", "&shy;", "&ZeroWidthSpace;", "&zwj;", "&NoBreak;", "&#8203;", "&#xAD;",
        "&#x200b;",
        "\\u200B", "\\ufeff", "\u{ad}", "\u{200b}", "\u{200c}", "\u{200d}", "\u{2060}", "\u{feff}",
    ]

    static var invisibles: [Case] {
        invisible.flatMap { mark in
            [choices[0], choices[4], choices[6], choices[8]].map { choice in
                Case("split by \(mark.debugDescription), \(choice.name)", .split) { bytes in
                    bytes.enumerated().flatMap { place, byte in
                        [byte] + (choice.isEscaped(place, byte) && place < bytes.count - 1 ? Array(mark.utf8) : [])
                    }
                }
            }
        }
    }

    static let gaps = [
        "\n", "\r\n\t", "\\n", "\\r\\n", "\n+", "\n# ", "\n> ", "\n// ", "\"\n  \"", "\",\n \"", "\" + \"", "' . '",
        "\\\n",
        "=\n", "\"\"", "',\n    '", " \\\n  ", "\"\n+\t\"", "\\\"\n\\\"",
    ]

    /// Line ends that are written down where the text is base64.
    static let lineEnds = ["&#13;\n", "&#xD;\n", "&#10;", "%0A", "%0D%0A", "\n/// ", "\n//"]

    /// Gaps that are passed over behind a brand.
    static let lateGaps = [
        "\u{1b}[m\u{1b}[K", "\u{1b}[0m\u{1b}[01;31m", "<b>",
        "\" f\"", "\"\n     b\"", "\" L\"", "\" + @\"", "\"  # the second part\n  \"", "\" // half\n    + \"", "\" + `",
        "\" /* more */ \"", "\" -- SQL\n || '", "</i><tt>",
        "</span><span class=\"s2\">", "<text:span text:style-name=\"T1\">", "</t></r><r><rPr><b/></rPr><t>",
        "</w:t></w:r><w:proofErr w:type=\"spellStart\"/><w:r w:rsidR=\"00A41C\"><w:t>",
    ]

    static var splits: [Case] {
        var cases: [Case] = []
        for gap in lateGaps {
            for cut in [17, 19, 30, 40] {
                cases.append(
                    Case("split after \(cut) by \(gap.debugDescription)", .split) {
                        Array("\"".utf8) + $0[..<cut] + Array(gap.utf8) + $0[cut...]
                    })
            }
        }
        for gap in gaps {
            // Lines begin alike.
            let before = gap == "\n+" || gap == "\n// " ? Array("x\(gap)".utf8) : []
            for cut in [1, 3, 4, 5, 8, 11, 16, 19, 30, 40] {
                cases.append(
                    Case("split after \(cut) by \(gap.debugDescription)", .split) {
                        before + $0[..<cut] + Array(gap.utf8) + $0[cut...]
                    })
            }
            for length in [27, 33] {
                cases.append(
                    Case("base32 wrapped at \(length) by \(gap.debugDescription)", .base32) {
                        let text = FormTests.base32(Array("some text ".utf8) + $0)
                        return before + FormTests.wrapped(text, length, gap)
                    })
            }
            cases += wrapped(by: gap, at: [20, 33, 60], after: before)
        }
        return cases
            + lineEnds.flatMap { gap in
                wrapped(by: gap, at: [20, 60], after: gap.hasPrefix("\n/") ? Array("x\(gap)".utf8) : [])
            }
    }

    private static func wrapped(by gap: String, at lengths: [Int], after before: [UInt8]) -> [Case] {
        lengths.map { length in
            Case("base64 wrapped at \(length) by \(gap.debugDescription)", .base64) {
                let text = FormTests.base64(Array("some text before it ".utf8) + $0)
                return before + FormTests.wrapped(text, length, gap)
            }
        }
    }

    private static func list(_ name: String, _ form: Form, separator: String, format: String) -> Case {
        Case(name, form) { bytes in
            Array(bytes.map { String(format: format, Int($0)) }.joined(separator: separator).utf8)
        }
    }

    /// A dump, with nine bytes of something before.
    private static func dump(
        _ name: String, _ form: Form, after before: String = "nine byte", perLine count: Int = 16,
        _ line: @escaping @Sendable (Int, [UInt8]) -> String
    ) -> Case {
        Case(name, form) { bytes in
            let text = Array(before.utf8) + bytes
            let lines = stride(from: 0, to: text.count, by: count).map { start in
                line(start, Array(text[start..<min(text.count, start + count)]))
            }
            return Array(lines.joined(separator: "\n").utf8)
        }
    }

    /// A dump of text in UTF-16, with nine characters of something before.
    private static func wideDump(_ name: String, _ line: @escaping @Sendable (Int, [UInt8]) -> String) -> Case {
        Case(name, .hexadecimal) { bytes in
            let text = (Array("nine char".utf8) + bytes).flatMap { byte -> [UInt8] in [byte, 0] }
            let lines = stride(from: 0, to: text.count, by: 16).map { start in
                line(start, Array(text[start..<min(text.count, start + 16)]))
            }
            return Array(lines.joined(separator: "\n").utf8)
        }
    }

    private static func printable(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.map { (0x20..<0x7f).contains($0) ? $0 : 0x2e }, as: UTF8.self)
    }

    private static func pairs(_ row: [UInt8]) -> [[UInt8]] {
        stride(from: 0, to: row.count, by: 2).map { Array(row[$0..<min(row.count, $0 + 2)]) }
    }

    private static func word(_ pair: [UInt8]) -> Int { Int(pair.count > 1 ? pair[1] : 0) << 8 | Int(pair[0]) }

    /// Words of some bytes, the last byte first; zeros follow what is there.
    private static func words(_ row: [UInt8], of size: Int) -> [String] {
        let count = (row.count + size - 1) / size * size
        return shortWords(row + [UInt8](repeating: 0, count: count - row.count), of: size)
    }

    /// The same without zeros: the last word may be shorter.
    private static func shortWords(_ row: [UInt8], of size: Int) -> [String] {
        stride(from: 0, to: row.count, by: size).map { start in
            row[start..<min(row.count, start + size)].reversed().map { String(format: "%02x", Int($0)) }.joined()
        }
    }

    /// Dumps of `xxd -g8`, with any number of bytes of the first line before the secret.
    private static var groupsOfEight: [Case] {
        (0...15).map { before in
            dump("xxd -g8 after \(before)", .hexadecimal, after: String("fifteen bytes: ".prefix(before))) {
                offset, row in
                let groups = stride(from: 0, to: row.count, by: 8).map { start in
                    let format = before % 2 == 0 ? "%02x" : "%02X"
                    return row[start..<min(row.count, start + 8)].map { String(format: format, Int($0)) }.joined()
                }
                let columns = groups.joined(separator: " ").padding(toLength: 35, withPad: " ", startingAt: 0)
                return String(format: "%08x: ", offset) + columns + printable(row)
            }
        }
    }

    /// Dumps in words of two bytes, and in binary digits, with any number of bytes of the first line before the secret.
    private static var dumpsAfterAny: [Case] {
        (0...15).flatMap { before -> [Case] in
            let text = String("fifteen bytes: ".prefix(before))
            return [
                dump("od -x after \(before)", .hexadecimal, after: text) { offset, row in
                    String(format: "%07o", offset) + pairs(row).map { String(format: " %04x", word($0)) }.joined()
                },
                dump("x/8xh of gdb after \(before)", .hexadecimal, after: text) { offset, row in
                    String(format: "0x7ffc%04x:", offset)
                        + pairs(row).map { String(format: "\t0x%04x", word($0)) }.joined()
                },
                dump("od after \(before)", .numbers, after: text) { offset, row in
                    String(format: "%07o", offset) + pairs(row).map { String(format: " %06o", word($0)) }.joined()
                },
                dump("xxd -b after \(before)", .numbers, after: text, perLine: 6) { offset, row in
                    let columns = row.map(binary).joined(separator: " ")
                    return String(format: "%08x: ", offset) + columns.padding(toLength: 55, withPad: " ", startingAt: 0)
                        + printable(row)
                },
            ]
        }
    }

    /// A line of `xxd -e`, which writes a short word at the right of its column.
    private static func xxd(_ offset: Int, _ row: [UInt8], wordsOf size: Int) -> String {
        let words = shortWords(row, of: size).map {
            String(repeating: " ", count: 2 * size - $0.utf8.count) + $0 + " "
        }
        let width = 16 / size * (2 * size + 1) + 1
        return String(format: "%08x: ", offset) + words.joined().padding(toLength: width, withPad: " ", startingAt: 0)
            + printable(row)
    }

    private static func binary(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 2)
        return String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }

    private static func binaries(_ name: String, separator: String) -> Case {
        Case(name, .numbers) { Array($0.map(binary).joined(separator: separator).utf8) }
    }

    /// The characters between quotes.
    private static func characters(_ name: String, separator: String) -> Case {
        Case(name, .numbers) { bytes in
            let quote = Array(separator.utf8.prefix(1))
            return quote + bytes.map { [$0] }.joined(separator: Array(separator.utf8)) + quote
        }
    }

    /// A line of digits that ends with a checksum.
    private static func record(_ mark: String, _ bytes: [UInt8]) -> String {
        let sum = bytes.reduce(0 as UInt8) { $0 &+ $1 }
        return mark + (bytes + [mark == ":" ? 0 &- sum : ~sum]).map { String(format: "%02X", Int($0)) }.joined()
    }

    static var lists: [Case] {
        groupsOfEight + dumpsAfterAny + [
            list("hex with blanks", .hexadecimal, separator: " ", format: "%02x"),
            list("hex with colons", .hexadecimal, separator: ":", format: "%02X"),
            list("array of bytes", .hexadecimal, separator: ", ", format: "0x%02x"),
            list("array over lines", .hexadecimal, separator: ",\n", format: "0x%02X"),
            list("words of gdb", .hexadecimal, separator: "\t", format: "0x%02x"),
            list("decimal array", .numbers, separator: ", ", format: "%d"),
            list("decimal array without blanks", .numbers, separator: ",", format: "%d"),
            list("decimal array over lines, with a tabulator", .numbers, separator: ",\n\t", format: "%d"),
            list("decimal numbers on lines", .numbers, separator: "\n", format: "%d"),
            list("list of YAML", .numbers, separator: "\n- ", format: "%d"),
            list("registry of Windows", .hexadecimal, separator: ",", format: "%02x,00"),
            Case("registry of Windows over lines", .hexadecimal) { secret in
                let numbers = Array("some text".utf8 + secret).map { String(format: "%02x,00,", Int($0)) }
                let lines = stride(from: 0, to: numbers.count, by: 8).map { start in
                    numbers[start..<min(numbers.count, start + 8)].joined()
                }
                return Array("\"Token\"=hex(2):\(lines.joined(separator: "\\\r\n  "))00,00\r\n".utf8)
            },
            wideDump("hexdump -C of UTF-16") { offset, row in
                let columns = row.map { String(format: "%02x", Int($0)) }.joined(separator: " ")
                return String(format: "%08x  ", offset) + columns + "  |" + printable(row) + "|"
            },
            wideDump("xxd of UTF-16") { offset, row in
                let groups = pairs(row).map { $0.map { String(format: "%02x", Int($0)) }.joined() }
                return String(format: "%08x: ", offset) + groups.joined(separator: " ") + "  " + printable(row)
            },
            wideDump("od -x of UTF-16") { offset, row in
                String(format: "%07o", offset) + pairs(row).map { String(format: " %04x", word($0)) }.joined()
            },
            list("calls of PHP", .numbers, separator: ").chr(", format: "%d"),
            list("calls of Python", .numbers, separator: ") + chr(", format: "%d"),
            list("calls with hexadecimal digits", .hexadecimal, separator: ") . chr(", format: "0x%02X"),
            list("calls of Visual Basic", .numbers, separator: ") & ChrW(", format: "%d"),
            list("calls of SQL", .numbers, separator: ")||CHR(", format: "%d"),
            list("array with casts", .hexadecimal, separator: ", (byte)0x", format: "%02x"),
            list("decimal array with casts", .numbers, separator: ", (byte)", format: "%d"),
            list("bytes of an assembler", .hexadecimal, separator: "\n\t.byte\t0x", format: "%02x"),
            list("bytes of another assembler", .hexadecimal, separator: "h, ", format: "%02X"),
            list("array with suffixes", .numbers, separator: ", ", format: "%du8"),
            list("od -b", .numbers, separator: " ", format: "%03o"),
            list("octal array", .numbers, separator: ", ", format: "0%o"),
            list("octal array without blanks", .numbers, separator: ",", format: "0%o"),
            list("octal array of a script", .numbers, separator: ", ", format: "0o%o"),
            binaries("binary digits", separator: " "),
            binaries("binary digits without blanks", separator: ""),
            binaries("array of binary numbers", separator: ", 0b"),
            characters("array of characters", separator: "', '"),
            characters("array of characters without blanks", separator: "','"),
            characters("array of characters over lines", separator: "',\n'"),
            characters("array of strings", separator: "\", \""),
            characters("array of strings without blanks", separator: "\",\""),
            Case("array behind the marks of comments", .numbers) { secret in
                Array("https://h.example/x#y | k = [\(secret.map { String($0) }.joined(separator: ","))] # |".utf8)
            },
            Case("od -c", .numbers) { Array($0.map { [$0] }.joined(separator: Array("   ".utf8))) },
            dump("xxd", .hexadecimal) { offset, row in
                let groups = pairs(row).map { $0.map { String(format: "%02x", Int($0)) }.joined() }.joined(
                    separator: " ")
                let columns = groups.padding(toLength: 41, withPad: " ", startingAt: 0)
                return String(format: "%08x: ", offset) + columns + printable(row)
            },
            dump("curl --trace", .hexadecimal) { offset, row in
                let columns = row.map { String(format: "%02x ", Int($0)) }.joined()
                return String(format: "%04x: ", offset) + columns.padding(toLength: 48, withPad: " ", startingAt: 0)
                    + printable(row)
            },
            dump("hexdump -C", .hexadecimal) { offset, row in
                let all = row.map { String(format: "%02x", Int($0)) }
                let halves = all.prefix(8).joined(separator: " ") + "  " + all.dropFirst(8).joined(separator: " ")
                let columns = halves.padding(toLength: 50, withPad: " ", startingAt: 0)
                return String(format: "%08x  ", offset) + columns + "|" + printable(row) + "|"
            },
            dump("od -x", .hexadecimal) { offset, row in
                String(format: "%07o", offset) + pairs(row).map { String(format: " %04x", word($0)) }.joined()
            },
            dump("od -tx4", .hexadecimal) { offset, row in
                String(format: "%07o", offset) + words(row, of: 4).map { " \($0)" }.joined()
            },
            dump("od -An -tx4", .hexadecimal) { _, row in
                words(row, of: 4).map { " \($0)" }.joined()
            },
            dump("xxd -e", .hexadecimal) { xxd($0, $1, wordsOf: 4) },
            dump("od -tx8", .hexadecimal) { offset, row in
                String(format: "%07o", offset) + words(row, of: 8).map { " \($0)" }.joined()
            },
            dump("xxd -e -g8", .hexadecimal) { xxd($0, $1, wordsOf: 8) },
            dump("x/2xg of gdb", .hexadecimal) { offset, row in
                String(format: "0x7ffc%04x:", offset) + words(row, of: 8).map { "\t0x\($0)" }.joined()
            },
            dump("x/4xw of gdb", .hexadecimal) { offset, row in
                String(format: "0x7ffc%04x:", offset) + words(row, of: 4).map { "\t0x\($0)" }.joined()
            },
            dump("Intel HEX", .hexadecimal) { offset, row in
                record(":", [UInt8(row.count), UInt8(offset >> 8), UInt8(offset & 0xff), 0] + row)
            },
            dump("S-records", .hexadecimal) { offset, row in
                record("S1", [UInt8(row.count + 3), UInt8(offset >> 8), UInt8(offset & 0xff)] + row)
            },
            dump("S-records with long addresses", .hexadecimal) { offset, row in
                record("S3", [UInt8(row.count + 5), 8, 0, UInt8(offset >> 8), UInt8(offset & 0xff)] + row) + "\r"
            },
            dump("od", .numbers) { offset, row in
                String(format: "%07o", offset) + pairs(row).map { String(format: " %06o", word($0)) }.joined()
            },
        ]
    }
}
