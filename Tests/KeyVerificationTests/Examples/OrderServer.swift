import KeyVerification

/// A part of a server, for the documentation: what it does with the `Authorization` header of a request.
struct OrderServer {
    let verifier: KeyVerifier
    let log: (String) -> Void

    /// The HTTP status for a request that reads an account.
    func status(authorization: String?, account: String) -> Int {
        guard let authorization else { return 401 }
        do {
            let answer = try verifier.verify(authorization: authorization, permission: "read", resource: account)
            // The code and the key are for the operator, the status is for the caller.
            if !answer.isValid { log("refused: \(answer.code), key \(answer.keyID ?? "-")") }
            return answer.httpStatus
        } catch {
            // The store cannot be read: no one gets in.
            log(error.description)
            return 503
        }
    }
}
