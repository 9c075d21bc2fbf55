import Foundation
import Testing

/// What the key pages of the four providers do, one test for each line of their behaviour, through the tool.
@Suite("Providers")
struct ProviderTests {
    let work: Workplace

    init() throws { work = try Workplace(issuersFolder) }

    func ask(_ credential: String, _ options: String...) throws -> [String: Any] {
        let outcome = try work.run(
            Workplace.binaries.appending(path: "keyvigil").path,
            ["verify", "--json", "--config", work.configuration] + options, input: credential)
        return try #require(outcome.objects.first, "\(outcome.errors)")
    }

    func code(_ credential: String, _ options: String...) throws -> String? {
        let outcome = try work.run(
            Workplace.binaries.appending(path: "keyvigil").path,
            ["verify", "--json", "--config", work.configuration] + options, input: credential)
        return outcome.objects.first?["code"] as? String
    }

    func text(_ object: [String: Any], _ field: String) throws -> String { try #require(object[field] as? String) }

    // MARK: - Finta

    @Test("Finta: any number of named keys, and a key can be renamed")
    func fintaNames() throws {
        for name in ["one", "two", "three"] { _ = try work.create(name, "--issuer", "finta") }
        #expect(try work.keyvigil("rename", "two", "second").status == 0)
        let names = try work.keyvigil("list", "--issuer", "finta", "--json").objects.compactMap {
            $0["name"] as? String
        }
        #expect(names == ["one", "second", "three"])
    }

    @Test("Finta: by default a key reaches all accounts, those connected later included; or a chosen set")
    func fintaScope() throws {
        let all = try text(work.create("all", "--issuer", "finta"), "secret")
        #expect(try code(all, "--resource", "account-connected-tomorrow") == "VALID")
        let some = try text(work.create("some", "--issuer", "finta", "--resource", "a1,a2"), "secret")
        #expect(try code(some, "--resource", "a2") == "VALID")
        #expect(try code(some, "--resource", "a3") == "RESOURCE_NOT_FOUND")
    }

    @Test("Finta: a scope edited later takes effect at once, without a rotation")
    func fintaEdit() throws {
        let secret = try text(work.create("k", "--issuer", "finta", "--resource", "a1"), "secret")
        #expect(try code(secret, "--resource", "a2") == "RESOURCE_NOT_FOUND")
        #expect(try work.keyvigil("edit", "k", "--resource", "a1,a2").status == 0)
        #expect(try code(secret, "--resource", "a2") == "VALID")
    }

    @Test("Finta: an account outside the scope is answered byte for byte like one that does not exist")
    func fintaNotFound() throws {
        let made = try work.create("k", "--issuer", "finta", "--resource", "a1")
        let secret = try text(made, "secret")
        func answer(_ resource: String) throws -> String {
            try work.keyvigil("verify", "--json", "--resource", resource, input: secret).output
        }
        #expect(try answer("exists-elsewhere") == answer("does-not-exist"))
        #expect(try ask(secret, "--resource", "does-not-exist")["http_status"] as? Int == 404)
    }

    @Test(
        "Finta: rotate makes a new secret, kills the old at once, keeps id, name and scope; delete is final and immediate"
    )
    func fintaRotate() throws {
        let made = try work.create("k", "--issuer", "finta", "--resource", "a1")
        let rotated = try #require(try work.keyvigil("rotate", "k", "--json").objects.first)
        #expect(try code(text(made, "secret")) == "NOT_FOUND" && code(text(rotated, "secret")) == "VALID")
        for field in ["id", "name"] { #expect(try text(made, field) == text(rotated, field)) }
        #expect(rotated["resources"] as? [String] == ["a1"])
        #expect(try work.keyvigil("delete", "k", "--yes").status == 0)
        #expect(try code(text(rotated, "secret")) == "NOT_FOUND")
        #expect(try work.keyvigil("rotate", text(made, "id")).status == 2)
    }

    // MARK: - Qonto

    @Test(
        "Qonto: the credential is SIGN-IN:SECRET, joined by a colon, without Base64; a good one answers 200, a bad one 401"
    )
    func qontoForm() throws {
        let made = try work.create("q", "--issuer", "qonto", "--sign-in", "pied-piper-7132")
        let secret = try text(made, "secret")
        #expect(try text(made, "prefix") == "pied-piper-7132:" && secret.hasPrefix("pied-piper-7132:"))
        #expect(secret.utf8.count == "pied-piper-7132:".utf8.count + 32)
        #expect(try ask(secret)["http_status"] as? Int == 200)
        #expect(try ask(secret.dropLast() + "!")["http_status"] as? Int == 401)
        #expect(try ask(String(secret.dropFirst("pied-piper-7132:".count)))["http_status"] as? Int == 401)
        #expect(try work.keyvigil("create", "none", "--issuer", "qonto").status == 2)
        let alone = try work.keyvigil(
            "create", "alone", "--held", "--issuer", "qonto", "--sign-in", "hooli-0042", "--secret-stdin",
            input: String(secret.dropFirst("pied-piper-7132:".count)))
        #expect(alone.status == 2 && alone.errors.contains("write SIGN-IN:SECRET, with a colon"), "\(alone.errors)")
    }

    @Test("Qonto: sandbox and production are apart, and several organisations have each their own sign-in")
    func qontoOrganisations() throws {
        let one = try work.create("one", "--issuer", "qonto", "--sign-in", "pied-piper-7132", "--env", "production")
        let two = try work.create("two", "--issuer", "qonto", "--sign-in", "hooli-0042", "--env", "sandbox")
        #expect(try text(one, "environment") == "live" && text(two, "environment") == "sandbox")
        let swapped = "hooli-0042:" + (try text(one, "secret")).dropFirst("pied-piper-7132:".count)
        #expect(try code(swapped) == "NOT_FOUND")
        #expect(
            try work.keyvigil("create", "x", "--issuer", "qonto", "--sign-in", "hooli-0042", "--env", "test").status
                == 2)
    }

    @Test("Qonto: regenerate revokes the previous secret and makes the new one under the same sign-in")
    func qontoRegenerate() throws {
        let made = try work.create("q", "--issuer", "qonto", "--sign-in", "pied-piper-7132")
        let again = try #require(try work.keyvigil("rotate", "q", "--json").objects.first)
        #expect(try text(again, "prefix") == "pied-piper-7132:" && text(again, "id") == text(made, "id"))
        #expect(try code(text(made, "secret")) == "NOT_FOUND" && code(text(again, "secret")) == "VALID")
    }

    @Test(
        "Qonto: OAuth consents are in the inventory, with scopes, client and expiry; they are revoked there, never rotated"
    )
    func qontoConsents() throws {
        func line(_ scope: String) -> String {
            """
            {"name":"bookkeeping","kind":"oauth_consent","issuer":"qonto","client":"01968119-8efd-7422","owner":"ana",\
            "scopes":["\(scope)","offline_access"],"expires_at":"2099-01-01"}

            """
        }
        let wrong = try work.keyvigil("import", input: line("organisation.read"))
        #expect(wrong.status == 2 && wrong.errors.contains("did you mean 'organization.read'?"))
        #expect(try work.keyvigil("import", input: line("organization.read")).status == 0)
        _ = try work.create("other", "--issuer", "qonto", "--sign-in", "pied-piper-7132")
        let listed = try work.keyvigil("list", "--kind", "oauth_consent", "--json").objects
        #expect(listed.compactMap { $0["name"] as? String } == ["bookkeeping"])
        let shown = try #require(try work.keyvigil("show", "bookkeeping", "--json").objects.first)
        #expect(try text(shown, "kind") == "oauth_consent" && text(shown, "expires_at") == "2099-01-01T00:00:00Z")
        #expect(try text(shown, "client") == "01968119-8efd-7422" && text(shown, "origin") == "held")
        #expect(shown["permissions"] as? [String] == ["offline_access", "organization.read"])
        #expect(shown["rotation_due_at"] is NSNull)
        let rotated = try work.keyvigil("rotate", "bookkeeping", "--secret-stdin", input: "x\n")
        #expect(rotated.status == 2 && rotated.errors.contains("an OAuth consent has no secret to rotate"))
        let revoked = try work.keyvigil("revoke", "bookkeeping")
        #expect(
            revoked.status == 2 && revoked.errors.contains("DELETE https://thirdparty.qonto.com/v2/oauth2/consents"))
        #expect(try work.keyvigil("revoke", "bookkeeping", "--done").status == 0)
    }

    // MARK: - Qubitro

    @Test("Qubitro: an expiry of a fixed duration or none, the five actions only, optionally limited to projects")
    func qubitroMake() throws {
        let made = try work.create(
            "q", "--issuer", "qubitro", "--expires", "30d", "--permission", "Create,Read", "--resource", "project-1")
        #expect(made["permissions"] as? [String] == ["Create", "Read"])
        #expect(made["expires_at"] is String)
        #expect(
            try code(text(made, "secret"), "--permission", "Delete", "--resource", "project-1")
                == "INSUFFICIENT_PERMISSIONS")
        #expect(try work.create("n", "--issuer", "qubitro", "--expires", "never")["expires_at"] is NSNull)
        let wrong = try work.keyvigil("create", "w", "--issuer", "qubitro", "--permission", "Raed")
        #expect(wrong.status == 2 && wrong.errors.contains("did you mean 'Read'?"))
    }

    @Test("Qubitro: a key cannot be edited or renamed after it is made, and the refusal says why")
    func qubitroImmutable() throws {
        _ = try work.create("q", "--issuer", "qubitro")
        for arguments in [["rename", "q", "r"], ["edit", "q", "--permission", "Read"]] {
            let outcome = try work.run(
                Workplace.binaries.appending(path: "keyvigil").path, arguments + ["--config", work.configuration])
            #expect(
                outcome.status == 2 && outcome.errors.contains("the issuer allows no change after a key is created"))
        }
        #expect(try work.keyvigil("show", "q", "--json").objects.first?["name"] as? String == "q")
    }

    @Test("Qubitro: the list shows name, scope, actions and expiry, never the secret; delete is immediate and final")
    func qubitroList() throws {
        let made = try work.create(
            "q", "--issuer", "qubitro", "--permission", "Invite", "--resource", "p", "--expires", "30d")
        let listed = try #require(try work.keyvigil("list", "--json").objects.first)
        #expect(listed["permissions"] as? [String] == ["Invite"] && listed["resources"] as? [String] == ["p"])
        #expect(listed["expires_at"] as? String == made["expires_at"] as? String && listed["secret"] == nil)
        _ = try work.keyvigil("delete", "q", "--yes")
        #expect(try code(text(made, "secret")) == "NOT_FOUND")
        #expect(try work.keyvigil("list", "--json").objects.isEmpty)
    }

    // MARK: - Blnk

    @Test("Blnk: a visible prefix in the list, scopes * or a list, the role always Member, an expiry or never")
    func blnkMake() throws {
        let made = try work.create("b", "--issuer", "blnk", "--permission", "mcp:read, mcp:write", "--expires", "never")
        let prefix = try text(made, "prefix")
        #expect(prefix.hasPrefix("blnk_") && prefix.utf8.count == 13)
        #expect(try text(made, "secret").hasPrefix(prefix) && text(made, "role") == "Member")
        #expect(made["permissions"] as? [String] == ["mcp:read", "mcp:write"])
        #expect(try work.create("all", "--issuer", "blnk", "--permission", "*")["permissions"] as? [String] == ["*"])
        #expect(try work.keyvigil("create", "x", "--issuer", "blnk", "--role", "Admin").status == 2)
    }

    @Test("Blnk: revoke disables at once, but the key stays listed as revoked")
    func blnkRevoke() throws {
        let made = try work.create("b", "--issuer", "blnk")
        #expect(try work.keyvigil("revoke", "b").status == 0)
        #expect(try code(text(made, "secret")) == "REVOKED")
        #expect(try work.keyvigil("list", "--json").objects.first?["status"] as? String == "revoked")
    }

    // MARK: - All of them

    @Test("a key keeps its tombstone: a leak of a deleted key is still recognised")
    func tombstone() throws {
        let made = try work.create("gone", "--issuer", "finta")
        _ = try work.keyvigil("delete", "gone", "--yes")
        let repository = try work.repository("shop", ["a.txt": try text(made, "secret")])
        let found = try #require(try work.keyvigil("scan", repository, "--json").objects.first)
        #expect(found["grade"] as? String == "confirmed" && found["secret_state"] as? String == "deleted")
    }

    @Test("a rotation that is retried prints the same result, without the secret, and kills nothing")
    func idempotent() throws {
        _ = try work.create("k")
        let first = try #require(try work.keyvigil("rotate", "k", "--idempotency-key", "job-7", "--json").objects.first)
        let second = try #require(
            try work.keyvigil("rotate", "k", "--idempotency-key", "job-7", "--json").objects.first)
        #expect(second["secret"] is NSNull && second["repeated"] as? Bool == true)
        #expect(try text(first, "prefix") == text(second, "prefix"))
        #expect(try code(text(first, "secret")) == "VALID")
    }

    @Test("a rotation made at the issuer is recorded: the new secret is read, hashed, and not shown")
    func rotationElsewhere() throws {
        let made = try work.create("b", "--issuer", "blnk")
        let new = "blnk_00ff00ff" + String(repeating: "ab", count: 20)
        let outcome = try work.keyvigil("rotate", "b", "--secret-stdin", input: new + "\n")
        #expect(outcome.status == 0 && !outcome.output.contains(new), "\(outcome.errors)")
        #expect(try code(new) == "VALID" && code(text(made, "secret")) == "NOT_FOUND")
        let wrong = try work.keyvigil("rotate", "b", "--secret-stdin", input: "blnk_short\n")
        #expect(wrong.status == 2 && !wrong.errors.contains("blnk_short"))
    }

    @Test("an unknown issuer is refused with the nearest; a profile with a mistake is refused with file and line")
    func profiles() throws {
        #expect(try work.keyvigil("create", "x", "--issuer", "blnkk").errors.contains("did you mean 'blnk'?"))
        try work.write("name = \"acme\"\n[secret]\nbrand = \"acme_\"\nlenght = 40\n", to: "issuers/acme.toml")
        try work.configure("[issuers]\nfolders = [\"\(work.path("issuers"))\"]")
        let refused = try work.keyvigil("check-config")
        #expect(refused.status == 2 && refused.errors.contains("acme.toml:4: unknown setting 'secret.lenght'"))
        #expect(refused.errors.contains("did you mean 'length'?"))
        try work.write(
            "name = \"acme\"\n[secret]\nbrand = \"acme_\"\nlength = 40\nchecksum = \"crc32\"\n[keys]\nlongest_lifetime = \"30d\"\n",
            to: "issuers/acme.toml")
        let made = try work.create("x", "--issuer", "acme", "--expires", "30d")
        #expect(try code(text(made, "secret")) == "VALID")
        #expect(try work.keyvigil("create", "y", "--issuer", "acme", "--expires", "31d").status == 2)
    }
}
