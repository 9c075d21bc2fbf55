import Foundation
import Glibc
import Testing

@testable import Systemd

@Suite("Credentials")
struct CredentialsTests {
    private let folder: TemporaryFolder
    private let credentials: Credentials

    init() throws {
        folder = try TemporaryFolder()
        credentials = try #require(Credentials(environment: ["CREDENTIALS_DIRECTORY": folder.path]))
    }

    private func read(_ name: String, maximum: Int = 16) throws -> [UInt8]? {
        try credentials.withCredential(name, maximum: maximum) { bytes in bytes.indices.map { bytes[$0] } }
    }

    @Test("a unit without credentials has none")
    func none() {
        #expect(Credentials(environment: [:]) == nil)
        #expect(Credentials(environment: ["CREDENTIALS_DIRECTORY": "relative"]) == nil)
    }

    @Test("a credential is lent whole, also at its greatest size")
    func whole() throws {
        try folder.write("pepper", "0123456789abcdef")
        #expect(try read("pepper") == Array("0123456789abcdef".utf8))
        try folder.write("empty", "")
        #expect(try read("empty") == [])
    }

    @Test("one that is not there is nil")
    func absent() throws {
        #expect(try read("pepper") == nil)
    }

    @Test("one byte too many is an error that names the credential and not its bytes")
    func tooLarge() throws {
        try folder.write("pepper", "0123456789abcdefX")
        let error = #expect(throws: SystemdError.self) { try read("pepper") }
        #expect(error?.message == "the credential pepper is larger than 16 bytes")
    }

    @Test("a name cannot leave the directory", arguments: ["", ".", "..", "../passwd", "a/b", "a\0b"])
    func names(name: String) {
        #expect(throws: SystemdError.self) { try read(name) }
    }

    @Test("a link is not followed")
    func link() throws {
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/pepper", withDestinationPath: "/etc/hostname")
        #expect(throws: SystemdError.self) { try read("pepper") }
    }

    @Test("what the closure throws comes out")
    func errorsOfTheClosure() throws {
        struct Refused: Error {}
        try folder.write("pepper", "x")
        #expect(throws: Refused.self) {
            try credentials.withCredential("pepper", maximum: 16) { _ in throw Refused() }
        }
    }

    @Test("zeroing leaves only zeros")
    func zeroing() {
        var bytes = Array("a secret".utf8)
        Zeroing.zero(&bytes)
        #expect(bytes == [UInt8](repeating: 0, count: 8))
        var none: [UInt8] = []
        Zeroing.zero(&none)
        #expect(none.isEmpty)
    }
}
