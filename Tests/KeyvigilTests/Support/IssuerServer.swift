import Foundation
import Testing

/// An issuer's API: nginx with TLS on the loopback interface, which accepts some secrets and refuses all others.
final class IssuerServer {
    let directory: URL
    let port: Int
    private var process: Process?
    private var generation = 0
    private let header: String

    /// - Parameters:
    ///   - trusted: whether its certificate is signed by the authority in ``environment``.
    ///   - header: nginx's variable for the field that carries the secret.
    ///   - location: what nginx does with a request besides deciding on the secret.
    init(_ directory: URL, trusted: Bool = true, header: String = "$http_authorization") throws {
        self.directory = directory
        self.header = header
        port = try Self.freePort()
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try Self.certificate(in: directory, trusted: trusted)
    }

    deinit { stop() }

    var address: String { "https://localhost:\(port)" }

    /// What makes curl trust the authority of this test, and no other.
    var environment: [String: String] {
        ["CURL_CA_BUNDLE": directory.appending(path: "authority.pem").path, "no_proxy": "localhost,127.0.0.1"]
    }

    /// The requests so far: method, path, status.
    func requests() throws -> [String] {
        let log = directory.appending(path: "access-\(generation).log").path
        guard FileManager.default.fileExists(atPath: log) else { return [] }
        return try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").map(String.init).filter {
            !$0.contains(" /up ")
        }
    }

    /// Starts the server, or starts it again with other secrets, and waits until it answers.
    ///
    /// - Parameters:
    ///   - accepted: the values of the field that are answered with 200; all others with 401.
    ///   - redirect: where every request is sent on to, if anywhere.
    ///   - status: the answer to accepted ones.
    func start(accepting accepted: [String], redirect: String? = nil, status: Int = 200) throws {
        stop()
        generation += 1
        let rows = accepted.map { "\"\($0)\" yes;" }.joined(separator: " ")
        let answer =
            redirect.map { "return 302 \($0);" } ?? "if ($accepted) { return \(status) '{}'; } return 401 '{}';"
        try """
        daemon off; worker_processes 1; pid nginx.pid; error_log stderr crit;
        events {}
        http {
          log_format short '$request_method $uri $status';
          access_log access-\(generation).log short;
          map_hash_bucket_size 512;
          map \(header) $accepted { default ''; \(rows) }
          client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
          server {
            listen 127.0.0.1:\(port) ssl; server_name localhost;
            ssl_certificate server.pem; ssl_certificate_key server.key;
            location = /up { return 200 '\(generation)'; }
            location / { \(answer) }
          }
        }

        """.write(to: directory.appending(path: "nginx.conf"), atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/sbin/nginx")
        process.arguments = ["-p", directory.path, "-c", directory.appending(path: "nginx.conf").path]
        process.standardError = FileHandle.standardError
        try process.run()
        self.process = process
        // Until it answers, or has ended.
        var answered = ""
        while process.isRunning, answered != "\(generation)" { answered = try Self.get("\(address)/up") }
        try #require(answered == "\(generation)", "nginx did not start")
    }

    private static func get(_ address: String) throws -> String {
        let curl = Process()
        curl.executableURL = URL(filePath: "/usr/bin/curl")
        curl.arguments = ["-qsk", "--noproxy", "*", "--max-time", "10", address]
        let output = Pipe()
        curl.standardOutput = output
        try curl.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        curl.waitUntilExit()
        return text
    }

    func stop() {
        process?.terminate()
        process?.waitUntilExit()
        process = nil
    }

    /// A port that the kernel has just given out. Another program could take it before nginx does; then the test fails at the
    /// start of nginx.
    private static func freePort() throws -> Int {
        let listener = try SilentServer()
        return listener.port
    }

    private static func certificate(in directory: URL, trusted: Bool) throws {
        func openssl(_ arguments: String...) throws {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/openssl")
            process.arguments = arguments
            process.currentDirectoryURL = directory
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            try #require(process.terminationStatus == 0, "openssl \(arguments)")
        }
        try openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=Test authority", "-keyout", "authority.key", "-out", "authority.pem")
        try openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
            "-keyout",
            "server.key", "-out", "server.csr")
        try "subjectAltName=DNS:localhost".write(
            to: directory.appending(path: "names.txt"), atomically: true, encoding: .utf8)
        if trusted {
            try openssl(
                "x509", "-req", "-in", "server.csr", "-CA", "authority.pem", "-CAkey", "authority.key", "-days", "2",
                "-extfile", "names.txt", "-out", "server.pem")
        } else {
            try openssl(
                "x509", "-req", "-in", "server.csr", "-signkey", "server.key", "-days", "2", "-extfile", "names.txt",
                "-out",
                "server.pem")
        }
    }
}

/// A port of the loopback interface on which connections are taken and nothing is ever answered.
final class SilentServer {
    let port: Int
    private let descriptor: Int32

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // Unsafe only in that the C library takes any kind of address under one type.
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                let isBound = unsafe bind(descriptor, address, length) == 0
                let isNamed = unsafe getsockname(descriptor, address, &length) == 0
                return isBound && isNamed && listen(descriptor, 8) == 0
            }
        }
        try #require(status)
        self.descriptor = descriptor
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }
}
