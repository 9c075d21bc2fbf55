import Keys

@testable import Keyvigil

/// The readers of files of settings: a value that they say can be replaced is then read as the new one, and nothing else changes.
enum SettingsTarget {
    static let all = SettingsSyntax.allCases.map { syntax in
        FuzzTarget("settings-\(syntax)", seeds: { seeds(of: syntax).map { Array($0.utf8) } }) { bytes in
            guard let check = try? SettingsCheck(syntax, of: bytes.span) else { return }
            var secret = Secret(capacity: 16)
            secret.append(contentsOf: "kv_test_Ab3dE6".utf8)
            for value in check.values.prefix(8) {
                guard case .text(let style) = value.use else { continue }
                let places = [ValuePlace(range: value.range, style: style)]
                do {
                    let text = try ValuePlace.text(of: Secret(copying: bytes.span), with: secret, at: places)
                    try check.check(text, has: secret, at: places)
                } catch { FuzzFailure.stop("\(syntax): a value is not what was written: \(error)") }
            }
        }
    }

    private static func seeds(of syntax: SettingsSyntax) -> [String] {
        switch syntax {
        case .assignments:
            [
                "# it's\nA='x\n y'\nB=\"it's\"\nexport KEY=\"old\" # 'note\nC=a\\\nD=e\n",
                "[a]\nkey = x\n  more\n[b]\nkey=\"y\" ; n\nz = 'a'\"b\"\n", "cat <<-'E'\nK=1\n\tE\nK=$(x)\nL=\r\n",
            ]
        case .properties: ["a\\:b.key : old = x\r\n#key=1\nc=d\\\n  e\nf g\n\\ h\n"]
        case .json: ["\u{FEFF}{\"\\u0061\": \"\\ud83d\\ude00\", \"b\": [1.5e-3, true, null, {\"c\": \"\\\"\"}]}\n"]
        case .toml: ["a = [{k = 'x', n = \"\"}, 'ü']\n\"é.b\" = \"y\" # c\n[[t]]\nm = \"\"\"\nk = \"x\"\n\"\"\"\n"]
        case .yaml:
            [
                "%YAML 1.2\n--- # c\na: &x {k: 'v', l: [1, \"2\"]}\nb: *x\nlist:\n- name: n # c\n  t: |-\n    key: y\n- - z\n",
                "k: 'it''s'\n\"l\": \"\\\"\"\nm: a\n  b\n\n  # c\nn:\n  o\n...\n---\np: !t q\n",
            ]
        }
    }
}
