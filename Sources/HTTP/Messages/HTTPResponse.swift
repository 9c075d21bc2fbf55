/// An answer.
package struct HTTPResponse: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// A file that is read from its start and closed afterwards.
        case file(descriptor: Int32, size: Int)
    }

    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: Body

    package init(_ status: Int, headers: [(name: String, value: String)] = [], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// An answer with words for people.
    package init(_ status: Int, headers: [(name: String, value: String)] = [], text: String) {
        self.init(
            status, headers: headers + [("Content-Type", "text/plain; charset=utf-8")], body: .bytes(Array(text.utf8)))
    }
}

/// When a request is answered.
package enum HTTPReply: Sendable {
    case now(HTTPResponse)
    /// At an instant of CLOCK_MONOTONIC, in nanoseconds.
    case at(UInt64, HTTPResponse)
    /// When the function that is passed is called, once, from any thread.
    case later(@Sendable (@escaping @Sendable (HTTPResponse) -> Void) -> Void)
}
