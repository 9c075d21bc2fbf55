import TOML

/// The reader of TOML: whatever it accepts can be written again, and then means the same.
enum TOMLTarget {
    static let all: [FuzzTarget] = [
        FuzzTarget(
            "toml",
            seeds: { seeds.map { Array($0.utf8) } },
            run: { bytes in
                do throws(TOMLError) {
                    let table = try TOMLTable(parsing: bytes)
                    let written = text(of: table)
                    let again = try TOMLTable(parsing: Array(written.utf8))
                    guard text(of: again) == written else { FuzzFailure.stop("what was written reads otherwise") }
                } catch {
                    let lines = bytes.count { $0 == UInt8(ascii: "\n") } + 1
                    guard (1...lines).contains(error.position.line),
                        (1...bytes.count + 1).contains(error.position.column),
                        String(describing: error).utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
                    else { FuzzFailure.stop("an error lies outside the text, or steers a terminal") }
                }
            })
    ]

    private static let seeds = [
        "a.\"b c\".'d' = { x = 1, y.z = [ true, -0x0 ] } # note\r\n[t.u]\n[[t.l]]\nn = 1_000\n[[t.l]]\n",
        "s = \"\\t\\u00e9\\U0001F511\\\\\"\nm = \"\"\"\n a\\\n   b\"\"\"\"\"\nl = '''\n''x'''\nr = 'C:\\n'\n",
        "f = [1.5, -1e-3, 6.0e+2, inf, -nan]\ni = [0xFF, 0o17, 0b1, +9, -9223372036854775808]\n",
        "d = 1979-05-27T07:32:00.999-07:00\ne = 1979-05-27 07:32:00\nf = 1979-05-27\ng = 23:59:60.5\n",
        "[a]\nb = [[], [{}]]\n[a.c]\n[x]\ny.z = 1\n",
    ]

    // MARK: - A writer of TOML, all in line

    private static func text(of table: TOMLTable) -> String {
        table.entries.map { "\(quoted($0.name)) = \(text(of: $0.value))\n" }.joined()
    }

    private static func text(of value: TOMLValue) -> String {
        switch value.content {
        case .string(let text): quoted(text)
        case .integer(let number): "\(number)"
        case .float(let number): "\(number)"
        case .boolean(let flag): "\(flag)"
        case .dateTime(let time): "\(time)"
        case .array(let elements): "[\(elements.map(text).joined(separator: ", "))]"
        case .table(let table):
            "{\(table.entries.map { "\(quoted($0.name)) = \(text(of: $0.value))" }.joined(separator: ", "))}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\0"..<" ", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
