import Testing

@testable import Keyvigil

@Suite("Text that cannot be searched for secrets")
struct UncheckedTextTests {
    @Test(
        "words of which no secret is made are shown; what may be one, or a part of one, is not",
        arguments: [
            ("/etc/keyvigil/keyvigil.toml:12: unknown setting 'scan.repositoris'", nil),
            ("'alerts.most' is 0; give a number from 1 to 10000000", nil),
            ("/srv/kv_live_Ab3dE6gH/x.git", "/srv/{not shown}/x.git"),
            ("/srv/QWxh/ZGRp/bjpV/x.git", "/srv/{not shown}/x.git"),
            ("'%6B%76' is wrong, 6b765f6c697665", "'%6B%76' is wrong, {not shown}"),
            (
                "k 107,118,95,108,105,118,101,95,165",
                "k " + Array(repeating: "{not shown}", count: 9).joined(separator: ",")
            ),
            ("a\u{0}b\u{0}c\u{0}d\u{0}e", "{not shown}"),
            (String(repeating: "a", count: 25), "{not shown}"),
        ] as [(String, String?)])
    func shown(_ text: String, _ shown: String?) {
        #expect(UncheckedText.shown(text) == shown ?? text)
    }
}
