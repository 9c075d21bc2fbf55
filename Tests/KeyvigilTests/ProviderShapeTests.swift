import Foundation
import Testing

/// The shipped profiles know the secrets of their issuers. Every secret here is made up and put together while the test runs.
@Suite("Secrets of providers")
struct ProviderShapeTests {
    /// A made-up secret of an issuer.
    struct Sample: Sendable, CustomTestStringConvertible {
        let issuer: String
        /// What is visible of each secret of this kind.
        let brand: String
        let alphabet: String
        /// How many characters follow the brand, without a checksum.
        let length: Int
        var visible = 8
        var hasChecksum = false

        var testDescription: String { "\(issuer) \(brand) \(length)" }

        /// Characters of the alphabet that are not in a regular order.
        var body: String {
            let characters = Array(alphabet)
            return String((1...length).map { characters[($0 * $0 + 7 * $0 + length) % characters.count] })
        }

        var secret: String { brand + body + (hasChecksum ? ProviderShapeTests.checksum(body) : "") }

        /// The same with too few characters, or with a checksum that is not its own.
        var wrong: String {
            guard hasChecksum else { return brand + body.prefix(15) }
            let last = secret.last == "0" ? "1" : "0"
            return secret.dropLast() + last
        }

        var prefix: String { brand + body.prefix(visible) }
    }

    static let base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    static let base64url = base62 + "-_"
    static let hex = "0123456789abcdef"

    static let samples =
        ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"].map {
            Sample(issuer: "github", brand: $0, alphabet: base62, length: 30, hasChecksum: true)
        } + [
            Sample(issuer: "github", brand: "ghr_", alphabet: base62, length: 70, hasChecksum: true),
            Sample(issuer: "github", brand: "github_pat_", alphabet: base62 + "_", length: 82),
            Sample(issuer: "npm", brand: "npm_", alphabet: base62, length: 30, hasChecksum: true),
            Sample(issuer: "gitlab", brand: "glpat-", alphabet: base64url, length: 20),
            Sample(issuer: "gitlab", brand: "glpat-", alphabet: base64url + ".", length: 57),
            Sample(issuer: "aws", brand: "AK" + "IA0123456789ABCDEF:", alphabet: base62 + "+/", length: 40, visible: 0),
            Sample(issuer: "stripe", brand: "sk_" + "live_", alphabet: base62, length: 24),
            Sample(issuer: "stripe", brand: "rk_" + "live_", alphabet: base62, length: 99),
            Sample(issuer: "stripe", brand: "sk_" + "test_", alphabet: base62, length: 99),
            Sample(issuer: "slack", brand: "xox" + "b-", alphabet: "0123456789-" + base62, length: 50, visible: 20),
            Sample(issuer: "slack", brand: "xox" + "e.xoxp-", alphabet: base62 + "-", length: 160, visible: 20),
            Sample(issuer: "openai", brand: "sk-" + "proj-", alphabet: base64url, length: 156),
            Sample(issuer: "openai", brand: "sk-", alphabet: base62, length: 48),
            Sample(issuer: "anthropic", brand: "sk-" + "ant-api03-", alphabet: base64url, length: 95),
            Sample(issuer: "google", brand: "AI" + "za", alphabet: base64url, length: 35),
            Sample(issuer: "huggingface", brand: "hf_", alphabet: base62, length: 34),
            Sample(issuer: "pypi", brand: "pypi-" + "AgEIcHlwaS5vcmc", alphabet: base64url, length: 160, visible: 16),
            Sample(issuer: "digitalocean", brand: "dop_" + "v1_", alphabet: hex, length: 64),
            Sample(
                issuer: "twilio", brand: "SK" + "00112233445566778899aabbccddeeff:", alphabet: base62, length: 32,
                visible: 0),
            Sample(issuer: "sendgrid", brand: "SG" + ".", alphabet: base64url + ".", length: 66),
            Sample(issuer: "cloudflare", brand: "cfut_", alphabet: base62, length: 48),
            Sample(issuer: "cloudflare", brand: "", alphabet: base64url, length: 40),
        ]

    /// Six base62 digits of the CRC-32 (RFC 1952) of a text.
    static func checksum(_ text: String) -> String {
        var state = UInt32.max
        for byte in text.utf8 {
            state ^= UInt32(byte)
            for _ in 0..<8 { state = state & 1 == 1 ? 0xEDB8_8320 ^ (state >> 1) : state >> 1 }
        }
        var rest = ~state
        var digits = ""
        for _ in 0..<6 {
            digits = String(Array(base62)[Int(rest % 62)]) + digits
            rest /= 62
        }
        return digits
    }

    let work: Workplace

    init() throws { work = try Workplace(issuersFolder) }

    private func line(_ name: String, _ issuer: String, _ secret: String) -> String {
        #"{"name":"\#(name)","issuer":"\#(issuer)","secret":"\#(secret)","owner":"ana"}"# + "\n"
    }

    @Test("the checksum is that of the example which is published for the format of GitHub and npm")
    func published() {
        #expect(Self.checksum("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ") == "0mLq17")
    }

    @Test("a new secret has the start that its issuer gives the environment, and none where there is no such start")
    func environments() throws {
        for environment in ["live", "test"] {
            let made = try work.create(environment, "--issuer", "stripe", "--environment", environment)
            #expect((made["prefix"] as? String)?.hasPrefix("sk_\(environment)_") == true, "\(made)")
        }
        let refused = try work.keyvigil("create", "box", "--issuer", "stripe", "--environment", "sandbox")
        #expect(refused.status == 2 && refused.errors.contains("for the environment 'sandbox'"), "\(refused.errors)")
        #expect(refused.errors.contains("use live or test"))
        // Where starts name no environment, the first is for all of them.
        #expect(
            (try work.create("bot", "--issuer", "slack", "--environment", "test")["prefix"] as? String)?.hasPrefix(
                "xox") == true)
    }

    @Test("a whole secret is recorded, and only its start is shown; what is not whole is refused", arguments: samples)
    func recorded(_ sample: Sample) throws {
        let wrong = try work.keyvigil("import", input: line("w", sample.issuer, sample.wrong))
        #expect(wrong.status == 2, "\(wrong.output)")
        #expect(
            wrong.errors.contains(sample.hasChecksum ? "its checksum is wrong" : "characters after its prefix, not"))
        #expect(!wrong.errors.contains(sample.body.suffix(10)) && !wrong.errors.contains(sample.wrong.suffix(10)))
        let imported = try work.keyvigil("import", input: line("k", sample.issuer, sample.secret))
        #expect(imported.status == 0, "\(imported.errors)")
        let key = try #require(try work.keyvigil("show", "k", "--json").objects.first)
        #expect(key["prefix"] as? String == sample.prefix && key["issuer"] as? String == sample.issuer)
        #expect(sample.prefix.utf8.count >= 8)
        #expect(!imported.output.contains(sample.body.suffix(10)))
        // A person is shown where to rotate it, and is reminded to.
        #expect(key["rotation_due_at"] is String)
        let rotated = try work.keyvigil("rotate", "k", "--secret-stdin", input: sample.wrong + "\n")
        #expect(rotated.status == 2 && !rotated.errors.contains(sample.wrong.suffix(10)))
    }

    @Test("a recorded secret is found and confirmed, whatever characters it has", arguments: samples)
    func found(_ sample: Sample) throws {
        #expect(try work.keyvigil("import", input: line("k", sample.issuer, sample.secret)).status == 0)
        let repository = try work.repository("shop", ["settings.env": "TOKEN=\(sample.secret)\n"])
        let finding = try #require(try work.keyvigil("scan", repository, "--json").objects.first)
        #expect(finding["grade"] as? String == "confirmed")
    }

    @Test("every shipped profile has a test, and check-config accepts them all")
    func complete() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "config/issuers")
        let shipped = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".toml") }.map { String($0.dropLast(".toml".count)) }
        let elsewhere = ["keyvigil", "blnk", "finta", "qonto", "qubitro"]
        #expect(Set(shipped) == Set(Self.samples.map(\.issuer) + elsewhere))
        let checked = try work.keyvigil("check-config")
        #expect(checked.status == 0, "\(checked.errors)")
    }

    @Test("a single token of GitHub is recorded with its start, and replaced by one of another kind")
    func github() throws {
        let old = try #require(Self.samples.first { $0.brand == "ghp_" })
        let new = try #require(Self.samples.first { $0.brand == "github_pat_" })
        let created = try work.keyvigil(
            "create", "ci", "--held", "--issuer", "github", "--secret-stdin", "--json", input: old.secret + "\n")
        #expect(created.objects.first?["prefix"] as? String == old.prefix, "\(created.errors)")
        let rotated = try work.keyvigil("rotate", "ci", "--secret-stdin", "--json", input: new.secret + "\n")
        #expect(rotated.objects.first?["prefix"] as? String == new.prefix, "\(rotated.errors)")
        // Its list shows the start of a token.
        let listed = try work.keyvigil("create", "b", "--held", "--issuer", "github", "--prefix", "ghp_aB3aB3aB...")
        #expect(listed.status == 0, "\(listed.errors)")
        let other = try work.keyvigil("create", "c", "--held", "--issuer", "github", "--prefix", "glpat-aB3a...")
        #expect(other.status == 2 && other.errors.contains("it does not begin with 'ghp_', 'gho_'"))
    }

    @Test("the two halves of an access key of AWS are confirmed in two variables")
    func halves() throws {
        let sample = try #require(Self.samples.first { $0.issuer == "aws" })
        #expect(try work.keyvigil("import", input: line("k", "aws", sample.secret)).status == 0)
        let repository = try work.repository(
            "shop",
            [
                "credentials":
                    "[default]\naws_access_key_id = \(sample.brand.dropLast())\naws_secret_access_key = \(sample.body)\n"
            ])
        let finding = try #require(try work.keyvigil("scan", repository, "--json").objects.first)
        #expect(finding["grade"] as? String == "confirmed")
    }

    @Test("a secret of an unusual length is accepted with its prefix")
    func unusual() throws {
        let sample = try #require(Self.samples.first { $0.issuer == "anthropic" })
        let longer = sample.secret + "AAAA"
        #expect(try work.keyvigil("import", input: line("k", "anthropic", longer)).status == 2)
        let given =
            #"{"name":"k","issuer":"anthropic","secret":"\#(longer)","prefix":"\#(sample.prefix)","owner":"ana"}"#
            + "\n"
        let imported = try work.keyvigil("import", input: given)
        #expect(imported.status == 0, "\(imported.errors)")
    }

    // MARK: - Shapes in general

    private func profile(_ secret: String) throws -> Workplace.Outcome {
        try work.write("name = \"acme\"\n[secret]\n\(secret)\n", to: "issuers/acme.toml")
        try work.configure("[issuers]\nfolders = [\"\(work.path("issuers"))\"]")
        return try work.keyvigil("check-config")
    }

    @Test(
        "settings of a shape that do not fit together are refused with file and line",
        arguments: [
            ("brand = []\nlength = 20", "'secret.brand' must be"),
            ("brand = 7\nlength = 20", "'secret.brand' must be"),
            ("alphabet = \"hexx\"\nlength = 20", "did you mean 'hex'?"),
            ("alphabet = [\"digts\", \"ABCDEFGHIJ\"]\nlength = 20", "did you mean 'digits'?"),
            ("alphabet = [\"abc\", \"abcdef\"]\nlength = 20", "at least 10 different characters"),
            ("length = 20\nlongest = 19", "give a number of at least 'length', 20"),
            ("length = 20\nvisible = 11", "may be visible: 10"),
            ("length = 20\nchecksum = \"crc23\"", "did you mean 'crc32'?"),
            ("brand = \"a_\"", "'secret.length' is missing"),
            ("length = 20\n[[secret.shapes]]\nbrand = \"a_\"\nlength = 20", "under [[secret.shapes]]"),
            ("[[secret.shapes]]\nbrand = \"a_\"\nlenght = 20", "did you mean 'length'?"),
            ("authorization = \"sign-in\"\nbrand = \"a_\"\nlength = 20", "only 'alphabet' and 'length'"),
        ])
    func refused(_ settings: String, _ reason: String) throws {
        let outcome = try profile(settings)
        #expect(outcome.status == 2 && outcome.errors.contains("acme.toml:"), "\(outcome.errors)")
        #expect(outcome.errors.contains(reason), "\(outcome.errors)")
    }

    @Test("secrets made in the shape of an issuer have its first brand, and are whole by its rules")
    func made() throws {
        #expect(
            try profile(
                """
                [[secret.shapes]]
                brand = ["acme_new_", "acme_"]
                length = 20
                longest = 40
                checksum = "crc32-random"
                [[secret.shapes]]
                brand = "acme_old_"
                alphabet = ["digits", "ABCDEF."]
                length = 16
                """
            ).status == 0)
        let made = try work.create("x", "--issuer", "acme")
        let secret = try #require(made["secret"] as? String)
        #expect(secret.hasPrefix("acme_new_") && secret.utf8.count == 9 + 20 + 6)
        #expect(secret.hasSuffix(Self.checksum(String(secret.dropFirst(9).dropLast(6)))))
        // What one store makes another one reads.
        let other = try Workplace("[issuers]\nfolders = [\"\(work.path("issuers"))\"]")
        #expect(try other.keyvigil("import", input: line("y", "acme", secret)).status == 0)
        let old = "acme_old_" + String(repeating: "0A.F", count: 4)
        #expect(try work.keyvigil("import", input: line("z", "acme", old)).status == 0)
        let long = String(repeating: "aB3d", count: 9)
        #expect(try work.keyvigil("import", input: line("l", "acme", "acme_" + long + Self.checksum(long))).status == 0)
        let longer = String(repeating: "aB3d", count: 11)
        let refused = try work.keyvigil("import", input: line("m", "acme", "acme_" + longer + Self.checksum(longer)))
        #expect(refused.status == 2 && refused.errors.contains("has 50 characters after its prefix, not 26 to 46"))
    }
}
