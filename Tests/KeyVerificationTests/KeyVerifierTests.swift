import Foundation
import KeyStore
import KeyVerification
import Keys
import Synchronization
import Testing

@Suite("Verification in a server's process")
struct KeyVerifierTests {
    let directory: URL
    let start = Instant(milliseconds: 1_800_000_000_000)

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "keyvigil-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        _ = FileManager.default.createFile(
            atPath: pepperPath, contents: Data(repeating: 7, count: 32), attributes: [.posixPermissions: 0o600])
    }

    var storePath: String { directory.appending(path: "keys.sqlite").path }
    var pepperPath: String { directory.appending(path: "pepper").path }

    /// Opens the store as the tool does.
    func store() throws -> Store {
        var bytes = Secret(capacity: 32)
        for _ in 0..<32 { bytes.append(7) }
        return try Store(path: storePath, pepper: try Pepper(bytes), now: start)
    }

    func create(_ store: Store, expiresAt: Instant? = nil) throws -> String {
        var generator = SystemRandomNumberGenerator()
        let issued = try store.create(
            NewKey(
                name: "billing", permissions: try PermissionSet(parsing: ["read"]), resources: .named(["a"]),
                expiresAt: expiresAt),
            shape: .own(brand: "kv"), using: &generator, at: start, by: AuditActor(uid: 0, program: "test"))
        return issued.secret.withBytes { span in
            var bytes: [UInt8] = []
            for index in span.indices { bytes.append(span[index]) }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    @Test("it recognises the secrets of a store that is merged while it runs, and fails where their pepper is missing")
    func merged() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        var options = Store.Options()
        options.pepperFolder = PepperFolder(beside: pepperPath)
        let store = try Store(
            path: storePath, pepper: try #require(try PepperFile(pepperPath).read()), now: start, options: options)
        let verifier = try KeyVerifier(store: storePath, pepper: pepperPath) { [start] in start }
        let formerPepper = directory.appending(path: "former-pepper").path
        _ = FileManager.default.createFile(
            atPath: formerPepper, contents: Data(repeating: 9, count: 32), attributes: [.posixPermissions: 0o600])
        let former = try Store(
            path: directory.appending(path: "former.sqlite").path,
            pepper: try #require(try PepperFile(formerPepper).read()), now: start)
        let secret = try create(former)
        #expect(try verifier.verify(authorization: secret).httpStatus == 401)

        let peppers = try store.peppers(ofMerging: former, at: start).map { pepper in
            MergedPepper(fingerprint: pepper.fingerprint, store: pepper.store, addedAt: start, usedAt: start)
        }
        try PepperFolder(beside: pepperPath).add(PepperFile(formerPepper))
        try store.adopt(peppers)
        #expect(try store.merge(former, at: start, by: AuditActor(uid: 0, program: "test")).added == 1)
        let answer = try verifier.verify(authorization: secret, permission: "read", resource: "a")
        #expect(answer.isValid && answer.keyName == "billing")
        #expect(try verifier.verify(authorization: secret + "x").httpStatus == 401)

        try FileManager.default.removeItem(atPath: PepperFolder(beside: pepperPath).path(of: peppers[0].fingerprint))
        let late = try KeyVerifier(store: storePath, pepper: pepperPath) { [start] in start }
        #expect(throws: KeyVerifierError.self) { try late.verify(authorization: secret) }
    }

    @Test("it decides as the tool does, for many callers at once, and notes the use")
    func decides() async throws {
        let store = try store()
        defer { try? FileManager.default.removeItem(at: directory) }
        let secret = try create(store, expiresAt: start.advanced(by: .days(10)))
        let clock = Mutex(start)
        let verifier = try KeyVerifier(store: storePath, pepper: pepperPath) { [start] in
            _ = start
            return clock.withLock { $0 }
        }
        let valid = try verifier.verify(authorization: "Bearer \(secret)", permission: "read", resource: "a")
        #expect(valid.isValid && valid.httpStatus == 200 && valid.keyName == "billing")
        #expect(try verifier.verify(authorization: secret, permission: "write").httpStatus == 403)
        #expect(try verifier.verify(authorization: secret, resource: "b").httpStatus == 404)
        let unknown = try verifier.verify(authorization: "Bearer \(secret)x")
        #expect(unknown.httpStatus == 401 && unknown.keyID == nil && !unknown.isValid)
        #expect(try verifier.verify(authorization: String(repeating: "a", count: 100_000)).httpStatus == 401)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<200 { group.addTask { (try? verifier.verify(authorization: secret).isValid) == true } }
            for await answer in group { #expect(answer) }
        }
        verifier.flush()
        #expect(try store.key("billing").lastUsedAt == start)
        clock.withLock { $0 = start.advanced(by: .days(10)) }
        let expired = try verifier.verify(authorization: secret)
        #expect(expired.httpStatus == 401 && expired.code == "EXPIRED")
    }

    @Test("a refusal comes at a whole step of time, whatever its cause; other answers come at once")
    func pace() throws {
        let store = try store()
        defer { try? FileManager.default.removeItem(at: directory) }
        let secret = try create(store, expiresAt: start.advanced(by: .days(10)))
        // A clock on which each look-up takes a time of its own.
        let clock = Mutex((time: UInt64(1_000_000), wakes: [UInt64]()))
        let pace = AnswerPace(
            now: {
                clock.withLock {
                    $0.time += 7_001
                    return $0.time
                }
            },
            sleep: { until in clock.withLock { $0.wakes.append(until) } })
        let instant = Mutex(start)
        let verifier = try KeyVerifier(store: storePath, pepper: pepperPath, pace: pace) { instant.withLock { $0 } }
        func refusals(_ credential: String, permission: String? = nil) throws -> [UInt64] {
            clock.withLock { $0 = (1_000_000, []) }
            _ = try verifier.verify(authorization: credential, permission: permission)
            return clock.withLock { $0.wakes }
        }
        #expect(try refusals(secret) == [] && refusals(secret, permission: "write") == [])
        let step = 1_007_001 + AnswerPace.step
        #expect(try refusals("nonsense") == [step])
        instant.withLock { $0 = start.advanced(by: .days(11)) }
        #expect(try refusals(secret) == [step])
        _ = try store.delete("billing", at: start, by: AuditActor(uid: 0, program: "test"))
        #expect(try refusals(secret) == [step])
    }

    @Test("what is wrong with the store or the pepper is said, with what to do")
    func errors() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let noStore = #expect(throws: KeyVerifierError.self) { try KeyVerifier(store: storePath, pepper: pepperPath) }
        #expect(noStore?.message.contains("there is no store") == true && noStore?.hint != nil)
        _ = try store()
        let noPepper = #expect(throws: KeyVerifierError.self) {
            try KeyVerifier(store: storePath, pepper: pepperPath + ".missing")
        }
        #expect(noPepper?.message.contains("pepper.missing") == true && noPepper?.hint != nil)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: pepperPath)
        let exposed = #expect(throws: KeyVerifierError.self) { try KeyVerifier(store: storePath, pepper: pepperPath) }
        #expect(exposed?.hint == "run: chmod 600 \(pepperPath)")
    }
}
