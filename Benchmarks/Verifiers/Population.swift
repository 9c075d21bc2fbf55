import Foundation
import KeyStore
import Keys

/// The keys of the store, by their numbers: what each is, and its secret.
struct Population {
    let expiring: Int
    let expiry: Instant

    private static let revoked = 100
    private static let lasting = 1_000

    enum Kind { case expiring, revoked, lasting }

    var count: Int { expiring + Self.revoked + Self.lasting }

    func kind(_ number: Int) -> Kind {
        number < expiring ? .expiring : number < expiring + Self.revoked ? .revoked : .lasting
    }

    /// Each secret can be made again from its number.
    func secret(_ number: Int) -> String { String(format: "bench_%012d_0123456789abcdefghijklmnopqrst", number) }

    static let prefixLength = 18

    /// Whether an answer is right that was asked for and given at these instants.
    func isRight(_ code: String, of number: Int, asked: Instant, answered: Instant) -> Bool {
        switch kind(number) {
        case .lasting: code == "VALID"
        case .revoked: code == "REVOKED"
        case .expiring: code == "EXPIRED" ? answered >= expiry : code == "VALID" && asked < expiry
        }
    }

    static var now: Instant { Instant(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down))) }
}
