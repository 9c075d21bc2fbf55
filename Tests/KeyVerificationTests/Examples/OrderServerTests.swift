import Foundation
import KeyVerification
import Keys
import Synchronization
import Testing

extension KeyVerifierTests {
    @Test("the documented server lets a key in, hides what it may not see, and refuses when the store is gone")
    func documentedServer() throws {
        let secret = try create(try store())
        defer { try? FileManager.default.removeItem(at: directory) }
        let verifier = try KeyVerifier(store: storePath, pepper: pepperPath)
        let lines = Mutex<[String]>([])
        let server = OrderServer(verifier: verifier) { line in lines.withLock { $0.append(line) } }
        #expect(server.status(authorization: "Bearer \(secret)", account: "a") == 200)
        #expect(lines.withLock(\.self).isEmpty)
        #expect(server.status(authorization: secret, account: "b") == 404)
        #expect(server.status(authorization: nil, account: "a") == 401)
        #expect(server.status(authorization: "Bearer unknown", account: "a") == 401)
        let logged = lines.withLock(\.self)
        #expect(logged.count == 2 && logged[0].hasPrefix("refused: RESOURCE_NOT_FOUND, key key_"))
        #expect(logged.last == "refused: NOT_FOUND, key -" && !logged.contains { $0.contains(secret) })
    }
}
