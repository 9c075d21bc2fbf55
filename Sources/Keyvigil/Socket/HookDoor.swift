internal import Dispatch
internal import HTTP
internal import KeyStore
internal import Keys
internal import Synchronization

/// Answers the hooks of those who may not read the store: what to look for, and whether a candidate is a secret of the store.
///
/// A candidate comes as its digest, so nothing of what is committed leaves the hook. GET tells the key of the digests and the
/// starts of prefixes, and the forms of secrets that belong to no key (``HookList``). POST takes a digest in each line, and tells of each, in a line, `-`, or the length of the visible prefix, the
/// state of the secret and the name of its key.
final class HookDoor: Sendable {
    private struct Starts {
        let greatestSecret: Int64
        let shortestPrefix: Int
        let forms: [String]
        let text: String
    }

    private let store: Store
    private let configuration: Mutex<Configuration>
    private let starts = Mutex<Starts?>(nil)
    private let queue = DispatchQueue(label: "keyvigil.hooks")
    private let now: @Sendable () -> Instant
    private let failed: @Sendable (StoreError) -> Void

    init(
        store: Store, configuration: Configuration, now: @escaping @Sendable () -> Instant,
        failed: @escaping @Sendable (StoreError) -> Void
    ) {
        self.store = store
        self.configuration = Mutex(configuration)
        self.now = now
        self.failed = failed
    }

    /// Takes another configuration into use.
    func adopt(_ configuration: Configuration) { self.configuration.withLock { $0 = configuration } }

    func answer(_ http: borrowing HTTPRequest) -> HTTPReply {
        guard http.path == "/hook" else { return .now(HTTPResponse(404, text: "this socket answers /hook\n")) }
        // It reads all prefixes, if there are new ones.
        guard http.method == "POST" else {
            return .later { done in self.queue.async { done(self.response { try self.startsText() }) } }
        }
        let lines = http.body.split(separator: UInt8(ascii: "\n"))
        return .now(response { try lines.map { try verdict(on: $0) + "\n" }.joined() })
    }

    private func response(_ body: () throws -> String) -> HTTPResponse {
        do { return HTTPResponse(200, text: try body()) } catch let error as InputError {
            return HTTPResponse(400, text: "\(error.message)\n")
        } catch {
            failed(store.explained(error))
            return HTTPResponse(503, text: "the store cannot be read at present\n")
        }
    }

    private func startsText() throws -> String {
        let configuration = configuration.withLock { $0 }
        let shortest = configuration.hygiene.shortestPrefix
        let forms = try HookForms.lines(of: store, configuration.hookScan)
        let greatest = try store.greatestSecret()
        if let known = starts.withLock({ $0 }), known.greatestSecret == greatest, known.shortestPrefix == shortest,
            known.forms == forms
        {
            return known.text
        }
        let text = try HookList.text(of: store, shortest: shortest, forms: forms, holdsDigests: false).text
        starts.withLock { $0 = Starts(greatestSecret: greatest, shortestPrefix: shortest, forms: forms, text: text) }
        return text
    }

    private func verdict(on line: ArraySlice<UInt8>) throws -> String {
        guard let bytes = Hexadecimal.bytes(line), bytes.count == Self.digestLength else {
            throw InputError("a line is no digest", hint: nil)
        }
        let found = try store.verification(ofHash: SecretHash(bytes), at: now())
        guard let key = found.key, let state = found.secret else { return "-" }
        return "\(key.prefix.utf8.count) \(state.rawValue) \(HTTPHeaderText.encoded(key.name))"
    }

    /// Of HMAC-SHA-256, in bytes.
    private static let digestLength = 32
}
