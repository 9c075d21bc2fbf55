import Foundation
import SystemPackage
import Testing

@testable import LeakScan

/// No name that is shown or stored holds a secret, in whatever form it is written there.
@Suite struct NameMaskTests {
    let mask: NameMask

    init() throws {
        let other = TestScan.prefix + String(repeating: "z", count: 30)
        mask = NameMask(
            try SearchTerms(TestScan.terms), KnownSecrets([TestScan.secret: 99, other: 98]))
    }

    /// The secret in each form that the search knows.
    static let forms: [String] = {
        let bytes = Array(TestScan.secret.utf8)
        let base64 = Data(bytes).base64EncodedString()
        var forms = [
            TestScan.secret, base64, Data(base64.utf8).base64EncodedString(),
            bytes.map { String(format: "%02x", $0) }.joined(), bytes.map { String(format: "%02X", $0) }.joined(),
            bytes.map { $0 == UInt8(ascii: "_") ? "%5F" : String(UnicodeScalar($0)) }.joined(),
            bytes.prefix(20).map { String(UnicodeScalar($0)) }.joined()
                + bytes.dropFirst(20).map { String(format: "%%%02X", $0) }.joined(),
        ]
        // Lists of numbers, and what is packed, or is text in UTF-16, before it is written as text.
        let wide: [UInt8] = bytes.flatMap { byte -> [UInt8] in [byte, 0] }
        forms.append(bytes.map { String($0) }.joined(separator: ","))
        forms.append(bytes.map { String(format: "%02x", $0) }.joined(separator: " "))
        forms.append(Data(wide).base64EncodedString())
        forms.append(wide.map { String(format: "%02x", $0) }.joined())
        forms.append(Data(base64.utf8).map { String(format: "%%%02X", $0) }.joined())
        for lead in ["a", "ab"] {
            forms.append(Data((lead + TestScan.secret).utf8).base64EncodedString())
        }
        return forms
    }()

    @Test(arguments: forms) func everyFormIsHidden(_ form: String) {
        for name in ["\(form)", "dir/x-\(form).txt", "\(form)/inner", "a \(form) b \(form)"] {
            let text = mask.text(name)
            #expect(!text.contains(form) && text.contains(TestScan.prefix + "{hidden:"), "\(text)")
            #expect(NameMask.hasHidden(text))
            // Nothing that could be put together to the secret again: no half of it is left.
            #expect(!text.contains(form.prefix(form.utf8.count * 3 / 4)) && !text.contains(form.suffix(20)), "\(text)")
            #expect(mask.text(name) == text)
        }
    }

    @Test func differentNamesStayDifferent() {
        let other = TestScan.prefix + String(repeating: "z", count: 30)
        // The aliases of this test do not distinguish digits in upper case from those in lower case.
        let forms = Self.forms.filter { form in !form.allSatisfy { $0.isHexDigit } || form == form.lowercased() }
        let names = ([other] + forms).flatMap { ["x-\($0)", "x-\($0)y", "z-\($0)"] }
        #expect(Set(names.map { mask.text($0) }).count == names.count)
        #expect(mask.text("x-\(other)") != mask.text("x-\(TestScan.secret)"))
    }

    @Test func whatIsNoSecretStays() {
        for name in ["a/b.txt", TestScan.prefix, "\(TestScan.prefix)README", "ü/\u{1}", ""] {
            #expect(mask.text(name) == name)
        }
    }

    @Test func pathsHaveTextsThatTellThemApart() {
        var noise = Noise(seed: 11)
        let parts: [[UInt8]] = [
            [0xe9], [0xe8], Array("é".utf8), [UInt8(ascii: "\\")], Array("\\xE9".utf8), Array("x".utf8), [0xff],
            Array("/".utf8), [0xc3], Array("E9".utf8),
        ]
        var seen: [String: [UInt8]] = [:]
        for _ in 0..<5_000 {
            let path = (0..<Int.random(in: 1...5, using: &noise)).flatMap { _ in
                parts.randomElement(using: &noise) ?? []
            }
            let text = PathText.text(path)
            #expect(PathText.bytes(text) == path)
            #expect(seen[text] == nil || seen[text] == path)
            seen[text] = path
        }
        #expect(PathText.text(Array("caf\u{e9}".utf8)) == "café" && PathText.text([0x63, 0xe9]) == "c\\xE9")
    }
}
