import HTTP
import Testing

/// The example of the module's README.
struct HTTPExampleTests {
    @Test("a server answers on a socket that listens")
    func answer() throws {
        let place = try ListeningPlace()
        let socket = place.descriptor
        let server = HTTPServer(listening: socket) { request in
            .now(HTTPResponse(200, text: "you asked for \(request.path)\n"))
        }
        try server.start()
        let answer = try HTTPClient(socket: place.path, milliseconds: 10_000).ask("GET", "/a%20b")
        #expect(answer.status == 200 && answer.text == "you asked for /a b\n")
        server.stop()
    }
}
