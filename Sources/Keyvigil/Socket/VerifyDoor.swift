internal import HTTP
internal import KeyStore
internal import Keys

/// Answers verifications: for the subrequests of nginx (auth_request), Caddy (forward_auth), Traefik (ForwardAuth) and Envoy
/// (ext_authz), and for servers that ask by themselves.
///
/// An answer is by the record as it is committed at that moment. It is what the proxy may pass on to its client: nothing in it
/// tells why a credential was refused, and a refusal is held back as long whatever the cause (``AnswerPace``).
struct VerifyDoor: Sendable {
    private let store: Store
    private let uses: UseRecorder
    private let credentialHeaders: [String]
    private let counter: VerificationCounter
    private let now: @Sendable () -> Instant
    private let failed: @Sendable (StoreError) -> Void
    private let recovered: @Sendable () -> Void
    private let pace: AnswerPace

    /// - Parameters:
    ///   - credentialHeaders: in which a credential may be, besides `Authorization`.
    ///   - failed: called when the store cannot be read.
    init(
        store: Store, credentialHeaders: [String], counter: VerificationCounter, now: @escaping @Sendable () -> Instant,
        failed: @escaping @Sendable (StoreError) -> Void, recovered: @escaping @Sendable () -> Void,
        pace: AnswerPace = .realTime
    ) {
        self.store = store
        uses = UseRecorder(store.ledger)
        self.credentialHeaders = credentialHeaders.map { $0.lowercased() }
        self.counter = counter
        self.now = now
        self.failed = failed
        self.recovered = recovered
        self.pace = pace
    }

    func answer(_ http: borrowing HTTPRequest) -> HTTPReply {
        guard http.path == "/verify" || http.path.hasPrefix("/verify/") else {
            return .now(HTTPResponse(404, text: "this socket answers /verify\n"))
        }
        do {
            let question = try VerifyQuestion(http, credentialHeaders: credentialHeaders)
            let instant = now()
            let (result, end) = try pace.runAtOnce {
                try store.verify(question.credential, for: question.request, at: instant)
            }
            uses.note(result, from: question.caller, at: instant)
            recovered()
            counter.note(.code(result.code))
            let response = Self.response(result, hasCredential: question.hasCredential)
            return end.map { .at($0, response) } ?? .now(response)
        } catch let error as InputError {
            // A mistake in the configuration of the proxy: its client gets in nowhere.
            counter.note(.malformed)
            let message = UncheckedText.shown(error.message)
            return .now(HTTPResponse(400, text: "\(message)\(error.hint.map { "; \($0)" } ?? "")\n"))
        } catch {
            counter.note(.unavailable)
            failed(store.explained(error))
            return .now(HTTPResponse(503, text: "the store cannot be read at present\n"))
        }
    }

    private static func response(_ result: Verification, hasCredential: Bool) -> HTTPResponse {
        var headers: [(name: String, value: String)] = [("Cache-Control", "no-store")]
        let status = result.code.httpStatus
        switch status {
        case 200:
            guard let key = result.key else { break }
            // All of them always, so that a proxy that copies them overwrites what its client has sent.
            headers += [
                ("X-Keyvigil-Key-Id", key.id.text),
                ("X-Keyvigil-Owner", HTTPHeaderText.encoded(key.owner ?? "")),
                ("X-Keyvigil-Environment", key.grant.environment.rawValue),
                ("X-Keyvigil-Permissions", HTTPHeaderText.list(key.grant.permissions.permissions)),
                ("X-Keyvigil-Scope", scope(key.grant.resources)),
            ]
        case 401:
            // RFC 6750, section 3.1: without credentials no error is named.
            headers.append(
                ("WWW-Authenticate", "Bearer realm=\"keyvigil\"\(hasCredential ? ", error=\"invalid_token\"" : "")"))
        default:
            // Some proxies take no other status than 401 and 403 for a refusal; the header has the one to map it to.
            headers += [
                ("WWW-Authenticate", "Bearer realm=\"keyvigil\", error=\"insufficient_scope\""),
                ("X-Keyvigil-Status", "\(status)"),
            ]
            return HTTPResponse(403, headers: headers)
        }
        return HTTPResponse(status, headers: headers)
    }

    private static func scope(_ resources: ResourceScope) -> String {
        switch resources {
        case .all: "all"
        case .named(let names): HTTPHeaderText.list(names)
        }
    }
}
