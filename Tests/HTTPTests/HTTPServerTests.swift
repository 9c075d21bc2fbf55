import Foundation
import HTTP
import Testing

/// Clients that are slow, greedy or hostile: each is bounded, and others are served meanwhile.
struct HTTPServerTests {
    private let place: ListeningPlace
    private let server: HTTPServer

    private static let limits: HTTPLimits = {
        var limits = HTTPLimits()
        limits.connections = 80
        limits.bodyBytes = 1000
        limits.idleMilliseconds = 1_500
        return limits
    }()

    init() throws {
        let place = try ListeningPlace()
        self.place = place
        server = HTTPServer(listening: place.descriptor, limits: Self.limits) { request in
            switch request.path {
            case "/large": return .now(HTTPResponse(200, body: .bytes(.init(repeating: 0x61, count: 8 << 20))))
            case "/later":
                let body = request.body
                return .later { done in
                    DispatchQueue.global().async { done(HTTPResponse(200, body: .bytes(body))) }
                }
            case "/held": return .at(monotonicNow() + 3_000_000, HTTPResponse(401))
            case "/headers":
                var seen = ""
                request.forEachHeader { name, value in
                    seen += "\(name)=\(String(decoding: value.indices.map { value[$0] }, as: UTF8.self));"
                }
                request.forEachArgument { name, value in seen += "\(name)?\(value ?? "-");" }
                return .now(HTTPResponse(200, text: seen))
            default: return .now(HTTPResponse(200, text: "\(request.method) \(request.path) \(request.body.count)\n"))
            }
        }
        try server.start()
    }

    private func ask(_ target: String = "/", body: [UInt8] = []) throws -> HTTPClient.Answer {
        try HTTPClient(socket: place.path, milliseconds: 60_000).ask(body.isEmpty ? "GET" : "POST", target, body: body)
    }

    @Test("one connection serves many requests, with bodies, at once, later and held back")
    func replies() throws {
        let client = HTTPClient(socket: place.path, milliseconds: 60_000)
        for _ in 0..<3 {
            #expect(try client.ask("POST", "/x", body: [1, 2, 3]).text == "POST /x 3\n")
            #expect(try client.ask("POST", "/later", body: Array("abc".utf8)).text == "abc")
            #expect(try client.ask("GET", "/held").status == 401)
        }
        let headers = try client.ask(
            "GET", "/headers?--owner=a%26b&--json&x=", headers: [("X-One", "1"), ("X-One", "2")]
        ).text
        #expect(headers == "Host=keyvigil;X-One=1;X-One=2;--owner?a&b;--json?-;x?;")
        server.stop()
    }

    @Test("requests that come all at once are answered in their order")
    func pipelining() throws {
        let connection = try place.connect()
        let asked = (0..<500).map { "GET /\($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined()
        connection.send(asked + "GET /end HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        let answers = try #require(connection.receive())
        let paths = answers.split(whereSeparator: \.isNewline).compactMap { line in
            line.hasPrefix("GET /") ? line.split(separator: " ")[1].dropFirst() : nil
        }
        #expect(paths == (0..<500).map { "\($0)"[...] } + ["end"])
        server.stop()
    }

    @Test("headers and bodies that are too large are refused, and others are served")
    func tooLarge() throws {
        let connection = try place.connect()
        connection.send("GET / HTTP/1.1\r\nHost: h\r\nX: \(String(repeating: "a", count: 1 << 20))\r\n\r\n")
        let refusal = try #require(connection.receive())
        #expect(refusal == "" || refusal.hasPrefix("HTTP/1.1 4"), "\(refusal.prefix(100))")
        let many = try place.connect()
        many.send("GET / HTTP/1.1\r\n" + (0..<100_000).map { "X\($0): y\r\n" }.joined() + "\r\n")
        let refused = try #require(many.receive())
        #expect(refused == "" || refused.hasPrefix("HTTP/1.1 4"), "\(refused.prefix(100))")
        #expect(throws: HTTPClient.Failure.self) { try ask("/", body: .init(repeating: 1, count: 100_000)) }
        #expect(try ask("/", body: .init(repeating: 1, count: 1000)).text == "POST / 1000\n")
        server.stop()
    }

    @Test(
        "what is no request is refused",
        arguments: [
            "\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
            "\u{16}\u{3}\u{1}\r\n\r\n",
        ])
    func nonsense(_ text: String) throws {
        let connection = try place.connect()
        connection.send(text)
        let answer = try #require(connection.receive())
        #expect(!answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
        #expect(try ask().status == 200)
        server.stop()
    }

    @Test("beyond the limit the connection that was idle the longest leaves")
    func flood() throws {
        let first = try place.connect()
        var open: [RawConnection] = []
        for number in 0..<1000 {
            let connection = try place.connect()
            // Some say nothing, some stop in the middle.
            if number.isMultiple(of: 2) { connection.send("GET / HTTP/1.1\r\nHos") }
            open.append(connection)
            if number.isMultiple(of: 100) { #expect(try ask().status == 200) }
        }
        #expect(first.receive() == "")
        #expect(try ask().status == 200)
        withExtendedLifetime(open) {}
        server.stop()
    }

    @Test("a request that trickles in, and an answer that no one reads, end; others are served")
    func slow() throws {
        let trickle = try place.connect()
        trickle.send("GET / HTTP/1.1\r\nHost: h\r\n")
        let reader = try place.connect()
        reader.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
        // Each header comes in time for a limit on idleness alone.
        while trickle.send("X: y\r\n") {
            #expect(try ask().status == 200)
            usleep(50_000)
        }
        try reader.waitForEnd()
        let part = try #require(reader.receive())
        #expect(part.utf8.count < 8 << 20)
        #expect(try ask("/large").body.count == 8 << 20)
        server.stop()
    }
}

/// CLOCK_MONOTONIC.
private func monotonicNow() -> UInt64 { DispatchTime.now().uptimeNanoseconds }
