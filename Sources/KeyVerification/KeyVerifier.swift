internal import Errors
internal import Glibc
package import KeyStore
package import Keys

/// Verifies credentials against a Keyvigil store, within the process of a server.
///
/// <!-- quote Tests/KeyVerificationTests/Examples/OrderServer.swift -->
/// ```swift
/// let answer = try verifier.verify(authorization: authorization, permission: "read", resource: account)
/// // The code and the key are for the operator, the status is for the caller.
/// if !answer.isValid { log("refused: \(answer.code), key \(answer.keyID ?? "-")") }
/// return answer.httpStatus
/// ```
///
/// A refusal is returned at a multiple of 0.2 milliseconds after the call, so that its timing does not reveal the
/// cause.
///
/// A verifier may be used from any thread and by several at once. It never waits for a program that writes to the
/// store: times of use are recorded in the background, at most every ten minutes for each key. Only their owner can
/// read the store and the pepper, so the server has to run as that user or have its own store. Other servers can call
/// the tool: `keyvigil verify`.
public final class KeyVerifier: Sendable {
    private let store: Store
    private let now: @Sendable () -> Instant
    private let pace: AnswerPace
    private let uses: UseRecorder

    /// Opens an existing store.
    ///
    /// - Parameters:
    ///   - path: the path of the store, a SQLite file.
    ///   - pepperPath: the path of the file with the pepper of the store.
    /// - Throws: ``KeyVerifierError`` that says what is wrong and what to do.
    public convenience init(store path: String, pepper pepperPath: String) throws(KeyVerifierError) {
        try self.init(store: path, pepper: pepperPath) {
            var time = timespec()
            unsafe clock_gettime(CLOCK_REALTIME, &time)
            return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
        }
    }

    /// For tests, which supply the clocks.
    package init(
        store path: String, pepper pepperPath: String, pace: AnswerPace = .realTime,
        runningTime: @escaping @Sendable () -> RunningTime? = { MachineRunningTime.current },
        now: @escaping @Sendable () -> Instant
    ) throws(KeyVerifierError) {
        self.now = now
        self.pace = pace
        do {
            guard let pepper = try PepperFile(pepperPath).read() else {
                throw InputError(
                    "there is no pepper at \(pepperPath)",
                    hint: "give the file that keyvigild created next to the store, or restore it from a backup")
            }
            var options = Store.Options()
            options.create = false
            options.runningTime = runningTime
            options.pepperFolder = PepperFolder(beside: pepperPath)
            store = try Store(path: path, pepper: pepper, now: now(), options: options)
            uses = UseRecorder(store.ledger)
        } catch {
            throw KeyVerifierError(error, file: pepperPath)
        }
    }

    /// Verifies the value of an `Authorization` header: `Bearer SECRET`, a bare `SECRET`, or `SIGN-IN:SECRET`.
    ///
    /// - Parameters:
    ///   - authorization: the value of the header. The bytes are copied into memory that is zeroed after use; the
    ///     string itself is not.
    ///   - permission: the required permission, or nil if none is required.
    ///   - resource: the requested resource, or nil if there is none.
    ///   - environment: `live`, `test` or `sandbox`, to refuse keys of other environments; nil accepts any.
    ///   - caller: who presents the credential, such as an address: it is part of the alert if the secret has leaked. At most
    ///     200 characters; the rest is dropped.
    /// - Throws: ``KeyVerifierError`` if the store cannot be read or the environment does not exist. A refused
    ///   credential is an answer, not an error.
    public func verify(
        authorization: String, permission: String? = nil, resource: String? = nil, environment: String? = nil,
        from caller: String? = nil
    ) throws(KeyVerifierError) -> KeyAnswer {
        do {
            var request = AccessRequest(permission: permission, resource: resource)
            request.environment = try environment.map { try KeyEnvironment(parsing: $0) }
            let instant = now()
            let utf8 = authorization.utf8
            // A longer value is not a credential, and its first bytes are not found.
            var value = Secret(capacity: min(utf8.count, Secret.longest))
            value.append(contentsOf: utf8.prefix(Secret.longest))
            let credential = Authorization(parsing: value)
            request.hasBearer = credential.hasBearer
            let result = try pace.run {
                try store.verify(credential.secret, for: request, at: instant)
            }
            uses.note(result, from: caller, at: instant)
            return KeyAnswer(result)
        } catch {
            throw KeyVerifierError(error, file: store.location)
        }
    }

    /// Waits until the uses so far are recorded. For tests and for an orderly shutdown.
    public func flush() { uses.flush() }
}

/// The result of verifying a credential.
public struct KeyAnswer: Sendable, Hashable {
    /// Whether the credential is valid for the request.
    public let isValid: Bool
    /// The HTTP status for the caller (RFC 9110): 200, 401, 403 or 404. It does not distinguish the causes of 401, and
    /// a resource outside the scope of the key gives the same status as one that does not exist.
    public let httpStatus: Int
    /// The cause, for the log of the operator and never for the caller: VALID, NOT_FOUND, EXPIRED, REVOKED, ON_HOLD
    /// (since the store was rolled back), TAMPERED (the record was changed by something other than Keyvigil),
    /// WRONG_ENVIRONMENT, WRONG_FORM, INSUFFICIENT_PERMISSIONS or RESOURCE_NOT_FOUND.
    public let code: String
    /// The id of the key to which the secret belongs, whatever the code; nil if the secret is not known.
    public let keyID: String?
    /// The name of that key.
    public let keyName: String?
    /// The environment of that key: `live`, `test` or `sandbox`.
    public let environment: String?
    /// What that key may do: `["*"]` for everything, empty if the secret is not known.
    public let permissions: [String]
    /// The resources to which a valid key is limited; nil if it may access all, or is not valid. A server that lists
    /// resources filters by it.
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

/// Why a credential could not be verified.
public struct KeyVerifierError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What happened.
    public let message: String
    /// What to do next.
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
