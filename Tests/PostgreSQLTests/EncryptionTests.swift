import Foundation
import PostgreSQL
import PostgreSQLServer
import Testing

@Suite("Encryption", .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct EncryptionTests {
    /// A port of this machine that is free at this moment.
    func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
            }
        }
        try #require(isBound)
        return UInt16(bigEndian: address.sin_port)
    }

    @Test("over TCP a server is used only if an authority that is trusted says that it has the name")
    func names() throws {
        let port = try freePort()
        let server = try TestServer(
            prepare: TestServer.certificate(for: "localhost"),
            options: "-c ssl=on -c listen_addresses=127.0.0.1 -c port=\(port)")
        let trusted = server.directory.appending(path: "data/authority.crt").path
        func connect(_ words: String) throws -> Connection {
            let address = try Address("hostaddr=127.0.0.1 port=\(port) user=keyvigil dbname=postgres \(words)")
            return try Connection.open(address, before: soon)
        }
        var connection = try connect("host=localhost sslrootcert=\(trusted)")
        let row = try connection.read(
            ["SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"], before: soon)[0][0]
        #expect(try row["ssl"] == true && row["version"] == "TLSv1.3")

        let other = server.directory.appending(path: "data/other.crt").path
        for words in [
            "host=localhost sslrootcert=\(other)", "host=db.example.org sslrootcert=\(trusted)",
            "host=localhost sslrootcert=/missing",
        ] {
            let error = #expect(throws: PostgreSQLError.self) { _ = try connect(words) }
            guard case .unreachable(let reasons) = error else {
                Issue.record("\(words): \(String(describing: error))")
                continue
            }
            #expect(reasons.contains { $0.contains("certificate") }, "\(reasons)")
        }
    }
}
