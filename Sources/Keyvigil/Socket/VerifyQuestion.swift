internal import HTTP
internal import Keys

/// A request for a verification, as it is in the headers and the query.
///
/// What is required of a key can only narrow the answer, and what is given twice is refused. So a client that slips in a header or
/// an argument of its own beside the proxy's gains nothing.
struct VerifyQuestion: ~Copyable {
    /// The value of the header with the credential; empty where there is none.
    let credential: Secret
    private(set) var request = AccessRequest()
    /// Who presents it, as far as the proxy says.
    private(set) var caller: String?
    private(set) var hasCredential = false

    /// - Parameter headers: in which a credential may be, besides `Authorization`; in lower case.
    /// - Throws: ``InputError`` for what cannot be answered.
    init(_ http: borrowing HTTPRequest, credentialHeaders headers: [String]) throws(InputError) {
        var credential = Secret(capacity: Secret.longest)
        var count = 0
        var hasBearer = false
        var found: [(name: String, value: String)] = []
        var forwarded: String?
        func isCredential(_ name: String) -> Bool { name == "authorization" || headers.contains(name) }
        http.forEachHeader(secret: { isCredential($0.lowercased()) }) { name, value in
            let name = name.lowercased()
            if isCredential(name) {
                // A proxy that sets it from a header that its client did not send sends it empty.
                guard !value.isEmpty else { return }
                count += 1
                // A longer one is no credential, and its first bytes are not found.
                var copy = Secret(capacity: Secret.longest)
                for index in 0..<min(value.count, Secret.longest) { copy.append(value[index]) }
                let parsed = Authorization(parsing: copy)
                // `Bearer` belongs to the header Authorization.
                hasBearer = parsed.hasBearer
                credential = name == "authorization" ? parsed.takeSecret() : copy
            } else if name == "x-forwarded-for" {
                forwarded = Self.text(value)
            } else if name.hasPrefix(Self.prefix), !value.isEmpty {
                found.append((String(name.dropFirst(Self.prefix.count)), Self.text(value)))
            }
        }
        // Below /verify/ comes what the client has asked the proxy for, with its own query (Envoy).
        if http.path == "/verify" {
            http.forEachArgument { name, value in found.append((name, value ?? "")) }
        }
        self.credential = credential
        guard count <= 1 else {
            throw InputError("the request has \(count) credentials", hint: "send one, in one header")
        }
        hasCredential = count == 1
        request.hasBearer = hasBearer
        for name in ["permission", "resource", "environment", "from"] {
            let values = found.filter { $0.name == name }.map(\.value)
            guard values.count <= 1 else {
                throw InputError(
                    "'\(name)' is given \(values.count) times", hint: "give it once, in the header or the query")
            }
            guard let value = values.first else { continue }
            switch name {
            case "permission": request.permission = try PermissionSet.checked(value)
            case "resource": request.resource = value
            case "environment": request.environment = try KeyEnvironment(parsing: value)
            default: caller = value
            }
        }
        if let unknown = found.first(where: { !Self.names.contains($0.name) }), http.path == "/verify" {
            throw InputError(
                "\(DisplayText.quoted(unknown.name, limit: 64)) is not known",
                hint: "known are permission, resource, environment and from")
        }
        // The last address is what the proxy itself has seen.
        caller = caller ?? forwarded?.split(separator: ",").last.map { String($0.drop { $0 == " " }) }
    }

    private static let prefix = "x-keyvigil-"
    private static let names = ["permission", "resource", "environment", "from"]

    private static func text(_ value: borrowing Span<UInt8>) -> String {
        String(decoding: value.indices.map { value[$0] }, as: UTF8.self)
    }
}
