import Testing

@testable import Keys

@Suite("Permissions, scopes and names")
struct AccessTests {
    @Test("permissions are read from lists, sorted, each once")
    func permissions() throws {
        #expect(try PermissionSet(parsing: ["mcp:write,read", "read"]).permissions == ["mcp:write", "read"])
        #expect(try PermissionSet(parsing: ["read", "*"]).isAll)
        for bad in [[], [""], ["a b\u{7}"], ["réad"], [String(repeating: "a", count: 101)]] {
            #expect(throws: InputError.self) { try PermissionSet(parsing: bad) }
        }
    }

    @Test(
        "a pattern that means nothing is refused",
        arguments: ["documents.*", "mcp*", "*:read", "a:*:read", "**", "mcp:re*", "mcp:", ":read", "a::b", ":*", "*:*"])
    func patterns(_ text: String) {
        #expect(throws: InputError.self) { try PermissionSet(parsing: [text]) }
        #expect(throws: InputError.self) { try PermissionSet.checked(text) }
    }

    @Test("a permission is allowed by itself, by its area, or by all")
    func allows() throws {
        let area = try PermissionSet(parsing: ["mcp:*", "read"])
        #expect(area.allows("mcp:write") && area.allows("read"))
        #expect(!area.allows("mcp") && !area.allows("write") && !area.allows("mcpx:write"))
        #expect(PermissionSet.all.allows("anything"))
    }

    @Test("a scope of all includes resources that are named later; a named one does not")
    func scopes() throws {
        #expect(ResourceScope.all.includes("made-tomorrow"))
        let named = try ResourceScope(parsing: ["b,a", "a"])
        #expect(named == .named(["a", "b"]))
        #expect(named.includes("a") && !named.includes("c"))
        #expect(try ResourceScope(parsing: ["all"]) == .all)
        #expect(ResourceScope(stored: named.stored) == named && ResourceScope(stored: ResourceScope.all.stored) == .all)
        for bad in [[], [""], ["a,,b"], ["all", "a"]] {
            #expect(throws: InputError.self) { try ResourceScope(parsing: bad) }
        }
    }

    @Test("names are bounded and show as themselves")
    func names() throws {
        #expect(try NameRules.checked("  billing  ", what: "name") == "billing")
        #expect(try NameRules.checked("Überweisung 請求", what: "name") == "Überweisung 請求")
        for bad in ["", "   ", String(repeating: "a", count: 10_000), "a\u{0}b", "a\nb", "a\u{202E}b", "\u{1B}[31m"] {
            #expect(throws: InputError.self) { try NameRules.checked(bad, what: "name") }
        }
        let error = #expect(throws: InputError.self) { try NameRules.checked("pay\u{202E}lla", what: "name") }
        #expect(error?.message.contains("\\u{202E}") == true)
        #expect(error?.message.unicodeScalars.contains("\u{202E}") == false)
    }

    @Test("text from outside is shown escaped and bounded")
    func display() {
        #expect(DisplayText.escaped("a\u{1B}[2Jb\n\u{202E}") == "a\\u{1B}[2Jb\\u{A}\\u{202E}")
        #expect(DisplayText.escaped("abcdef", limit: 3) == "abc…")
        #expect(DisplayText.nearest(to: "rotaton", among: ["rotation", "expiry"]) == "rotation")
        #expect(DisplayText.nearest(to: "tset", among: ["a", "test"]) == "test")
        for (word, other) in [("b", "A"), ("ab", "xy"), ("web", "api")] {
            #expect(DisplayText.nearest(to: word, among: [other]) == nil, "\(word)")
        }
        #expect(DisplayText.nearest(to: "xyzzy", among: ["rotation", "expiry"]) == nil)
    }

    @Test("JSON lines keep their order and escape what must be")
    func json() {
        var line = JSONLine()
        line.add("b", "q\"\\\n\u{1}\u{2028}é")
        line.add("a", Int64(-5))
        line.add("none", String?.none)
        line.add("list", ["x", "y"])
        line.add("yes", true)
        #expect(line.line == #"{"b":"q\"\\\n\u0001\u2028é","a":-5,"none":null,"list":["x","y"],"yes":true}"#)
    }

    @Test("the order of the checks hides a resource before it reveals a permission")
    func verdicts() throws {
        let permissions = try PermissionSet(parsing: ["read"])
        func code(
            _ secret: SecretGrade, _ permission: String? = nil, _ resource: String? = nil,
            environment: KeyEnvironment? = nil, hasBearer: Bool = false,
            form: IssuerProfile.AuthorizationForm = .bearer
        ) -> VerdictCode {
            VerdictRules.code(
                secret: secret,
                grant: AccessGrant(
                    environment: .sandbox, permissions: permissions, resources: .named(["a"]), form: form),
                request: AccessRequest(
                    permission: permission, resource: resource, environment: environment, hasBearer: hasBearer))
        }
        #expect(code(.current, "write", "b") == .resourceNotFound)
        #expect(code(.current, "write", "a") == .insufficientPermissions)
        #expect(code(.retiring, "read", "a") == .valid)
        #expect(code(.retired) == .notFound)
        #expect(code(.deleted) == .notFound)
        #expect(code(.revoked) == .revoked)
        #expect(code(.current, "write", "b", environment: .live) == .wrongEnvironment)
        #expect(code(.current, nil, nil, environment: .sandbox) == .valid)
        #expect(code(.current, hasBearer: true) == .valid)
        #expect(code(.current, nil, nil, environment: .live, hasBearer: true, form: .signIn) == .wrongForm)
        #expect(code(.current, hasBearer: true, form: .bare) == .wrongForm)
        #expect(code(.current, hasBearer: false, form: .signIn) == .valid)
        #expect(VerdictCode.allCases.map(\.httpStatus) == [200, 401, 401, 401, 401, 401, 401, 401, 403, 404])
    }
}

@Suite("Hygiene")
struct HygieneTests {
    let now = Instant(milliseconds: 1_800_000_000_000)

    func key() throws -> Key {
        Key(
            id: KeyID(stored: "key_1"), name: "k", owner: "ana", issuer: "keyvigil", environment: .live,
            prefix: "kv_live_abcdefgh_", permissions: try PermissionSet(parsing: ["read"]), resources: .all,
            role: "member",
            createdAt: now, expiresAt: now.advanced(by: .days(90)), rotateEvery: nil)
    }

    func flags(_ key: Key, after days: Int = 0) -> [HygieneFlag] {
        HygieneRules.verdicts(
            on: key, at: now.advanced(by: .days(days)), lifecycle: .standard, hygiene: .standard,
            issuers: IssuerCatalog(brand: "kv")
        ).map(\.flag)
    }

    @Test("a fresh key with an owner, an expiry and limits is clean")
    func clean() throws { #expect(flags(try key()).isEmpty) }

    @Test("each uncleanliness raises its flag, with a remedy that names the key")
    func each() throws {
        var one = try key()
        one.owner = nil
        #expect(flags(one) == [.noOwner])
        one = try key()
        one.expiresAt = nil
        one.permissions = .all
        #expect(flags(one) == [.unbounded])
        one.issuer = "plain"
        var issuers = IssuerCatalog(brand: "kv")
        issuers.add(
            IssuerProfile(
                name: "plain", title: "Plain", shape: .own(brand: "kv"), authorization: .bearer, vocabulary: .none))
        let verdicts = HygieneRules.verdicts(
            on: one, at: now, lifecycle: .standard, hygiene: .standard, issuers: issuers)
        #expect(verdicts.isEmpty)
        one = try key()
        one.expiresAt = now.advanced(by: .days(366))
        #expect(flags(one) == [.lifetimeTooLong])
        one = try key()
        one.prefix = "short_"
        #expect(flags(one) == [.prefixTooShort])
        one = try key()
        one.openLeaks = 2
        #expect(flags(one) == [.leaked])
        one = try key()
        #expect(flags(one, after: 35) == [.expiring])
        #expect(flags(one, after: 61) == [.expiring, .rotationDue, .neverUsed])
        #expect(flags(one, after: 76) == [.expiring, .rotationOverdue, .neverUsed])
        #expect(flags(one, after: 90) == [.expired])
        one.lastUsedAt = now
        one.expiresAt = nil
        #expect(flags(one, after: 90) == [.unused])
        one.recordedStatus = .revoked
        #expect(flags(one, after: 90).isEmpty)
    }
}
