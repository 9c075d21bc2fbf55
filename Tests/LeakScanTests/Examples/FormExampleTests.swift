import Testing

@testable import LeakScan

/// The worked example of a form in CONTRIBUTING.md: hexadecimal digits.
@Suite struct FormExampleTests {
    // A form has four parts: a case of Form with its name in JSON, the encoded starts of prefixes (FormPattern.all), the decoder
    // (FormDecoder.decode), and a case in FormTests, which checks it with every engine.
    @Test func hexadecimalIsEncodedAndDecoded() throws {
        let start = Array("kv_live_".utf8)
        let pattern = try #require(FormPattern.all(of: start).first { $0.form == .hexadecimal })
        #expect(pattern.bytes == Array("6b765f6c6976655f".utf8))

        let found = Array("6b765f6c6976655f41\"".utf8)
        let text = FormDecoder.decode(found.span, at: 0, pattern, limit: 100)
        let buffer = text.buffer
        #expect(Array(copying: buffer.bytes) == Array("kv_live_A".utf8))
        #expect(Form.hexadecimal.name == "hex")
    }
}
