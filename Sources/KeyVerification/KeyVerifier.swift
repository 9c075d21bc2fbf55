internal import Dispatch
internal import Glibc
package import KeyStore
package import Keys

/// Verifies credentials against a Keyvigil store, in the process of a server.
///
/// ```swift
/// let verifier = try KeyVerifier(store: "/var/lib/keyvigil/keys.sqlite", pepper: "/var/lib/keyvigil/pepper")
/// let answer = try verifier.verify(authorization: header, permission: "orders:read", resource: "shop-7")
/// guard answer.isValid else { return Response(status: answer.httpStatus) }
/// ```
///
/// A refusal comes a multiple of a fifth of a millisecond after the question, so that its time tells nothing of the cause.
///
/// A verifier may be used from any thread and by many at once. It never waits for a program that writes to the store:
/// times of use are noted in the background, at most every ten minutes a key. The store and the pepper are readable by
/// their owner only, so the server runs as that user, or has a store of its own; otherwise ask the tool: `keyvigil
/// verify`.
public final class KeyVerifier: Sendable {
    private let store: Store
    private var ledger: any Ledger { store.ledger }
    private let now: @Sendable () -> Instant
    private let pace: AnswerPace
    private let uses = DispatchQueue(label: "keyvigil.uses")

    /// Opens a store that exists.
    ///
    /// - Parameters:
    ///   - path: the SQLite file of the store.
    ///   - pepperPath: the file that holds the store's pepper.
    /// - Throws: ``KeyVerifierError`` that says what is wrong and what to do.
    public convenience init(store path: String, pepper pepperPath: String) throws(KeyVerifierError) {
        try self.init(store: path, pepper: pepperPath) {
            var time = timespec()
            unsafe clock_gettime(CLOCK_REALTIME, &time)
            return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
        }
    }

    /// For tests, which own the clock.
    package init(
        store path: String, pepper pepperPath: String, pace: AnswerPace = .realTime,
        now: @escaping @Sendable () -> Instant
    ) throws(KeyVerifierError) {
        self.now = now
        self.pace = pace
        do {
            guard let pepper = try PepperFile(pepperPath).read() else {
                throw InputError(
                    "there is no pepper at \(pepperPath)",
                    hint: "give the file that keyvigild made beside the store, or put it back from the backup")
            }
            var options = Store.Options()
            options.create = false
            store = try Store(path: path, pepper: pepper, now: now(), options: options)
        } catch {
            throw KeyVerifierError(error, file: pepperPath)
        }
    }

    /// Decides on the value of an `Authorization` header: `Bearer SECRET`, a bare `SECRET`, or `SIGN-IN:SECRET`.
    ///
    /// - Parameters:
    ///   - authorization: the header's value. The bytes are copied into memory that is zeroed after use; the caller's
    ///     string is the caller's.
    ///   - permission: the permission that is needed, or nil if none is.
    ///   - resource: the resource that is asked for, or nil if none is.
    ///   - environment: `live`, `test` or `sandbox`: keys of another one are refused; nil: any.
    /// - Throws: ``KeyVerifierError`` where the store cannot be read. A credential that is refused is an answer, not an
    ///   error.
    public func verify(
        authorization: String, permission: String? = nil, resource: String? = nil, environment: String? = nil
    ) throws(KeyVerifierError) -> KeyAnswer {
        do {
            var request = AccessRequest(permission: permission, resource: resource)
            request.environment = try environment.map { try Environment(parsing: $0) }
            let instant = now()
            let utf8 = authorization.utf8
            // A longer value is no credential; what is looked up of it is not found.
            var value = Secret(capacity: min(utf8.count, Secret.longest))
            value.append(contentsOf: utf8.prefix(Secret.longest))
            let credential = Authorization(parsing: value)
            request.hasBearer = credential.hasBearer
            let result = try pace.run {
                try store.verify(credential.secret, for: request, at: instant)
            }
            note(result, at: instant)
            return KeyAnswer(result)
        } catch {
            throw KeyVerifierError(error, file: store.location)
        }
    }

    /// Notes uses without making the caller wait; what cannot be written now will be at the next use.
    private func note(_ result: Verification, at instant: Instant) {
        guard let key = result.key else { return }
        let isReuse = result.secret == .retired
        guard
            isReuse
                ? Store.isReuseWorthTelling(key, at: instant)
                : result.code == .valid && Store.isUseWorthNoting(key, at: instant)
        else { return }
        uses.async { [ledger] in
            if isReuse {
                _ = try? ledger.noteReuse(of: key, at: instant)
            } else {
                _ = try? ledger.noteUse(of: key, at: instant)
            }
        }
    }

    /// Waits until the uses so far are noted. For tests and an orderly end.
    public func flush() { uses.sync {} }
}

/// The answer to a credential.
public struct KeyAnswer: Sendable, Hashable {
    /// Whether to let the caller in.
    public let isValid: Bool
    /// What to tell the caller (RFC 9110): 200, 401, 403 or 404. It never says which of the causes of 401 it was, and a
    /// resource outside the key's scope is answered like one that does not exist.
    public let httpStatus: Int
    /// For the operator's own log, never for the caller: VALID, NOT_FOUND, EXPIRED, REVOKED, ON_HOLD (since the store was
    /// rolled back), WRONG_ENVIRONMENT, WRONG_FORM, INSUFFICIENT_PERMISSIONS or RESOURCE_NOT_FOUND.
    public let code: String
    /// The id of the key that the secret belongs to, whatever the code; nil where the secret is not known.
    public let keyID: String?
    /// The name of that key.
    public let keyName: String?
    /// The environment of that key: `live`, `test` or `sandbox`.
    public let environment: String?
    /// What that key may do; `["*"]` for everything, empty where the secret is not known. For what a server lists.
    public let permissions: [String]
    /// The resources that a valid key is limited to; nil where it reaches all, or is not valid. A server that lists resources
    /// filters by it.
    public let resources: [String]?

    init(_ result: Verification) {
        isValid = result.code == .valid
        httpStatus = result.code.httpStatus
        code = result.code.rawValue
        keyID = result.key?.id.text
        keyName = result.key?.name
        environment = result.key?.grant.environment.rawValue
        permissions = result.key?.grant.permissions.permissions ?? []
        if case .named(let names)? = result.key?.grant.resources, result.code == .valid {
            resources = names
        } else {
            resources = nil
        }
    }
}

/// Why a credential could not be decided on.
public struct KeyVerifierError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What happened.
    public let message: String
    /// What to do about it.
    public let hint: String?

    /// Message and hint in one line.
    public var description: String { hint.map { "\(message) (\($0))" } ?? message }

    init(_ error: any Error, file: String) {
        if let explained = error as? any ExplainedError {
            message = explained.message
            hint = explained.hint
        } else {
            message = "\(file): \(error)"
            hint = "check that it exists and that this process may read it"
        }
    }
}
