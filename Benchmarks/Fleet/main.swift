// Measures a fleet on this machine, each figure beside its lower bound in the same run:
//
//     swift run -c release FleetBenchmark [KEYS]
//
// It starts a PostgreSQL of its own, on a Unix socket, and opens the members' stores in this process.

import Fleet
import Foundation
import KeyStore
import Keys
import PostgreSQL
import PostgreSQLServer
import Synchronization

/// The seconds that `body` takes.
func measure(_ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    return try clock.measure(body) / .seconds(1)
}

func text(_ number: Double) -> String { String(format: number < 10 ? "%.2f" : "%.0f", number) }

func percentile(_ share: Double, of times: [Double]) -> Double {
    let sorted = times.sorted()
    return sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
}

// As the programs do.
SQLiteLibrary.omitMemoryStatistics()
let server = try TestServer(options: "-c shared_buffers=256MB")
try server.makeLogins()
let actor = AuditActor(uid: 0, program: "benchmark")
let shape = SecretShape.own(brand: "kv")
let start = Instant(milliseconds: 1_700_000_000_000)
var pepperBytes = Secret(capacity: 32)
pepperBytes.append(contentsOf: String(repeating: "p", count: 32).utf8)
let pepper = try Pepper(pepperBytes)
let uptime = ContinuousClock.now
let keyCount = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 20_000

/// The store of one host.
final class Member: Sendable {
    let directory: URL
    let store: Store

    init(_ number: Int, in database: String) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "keyvigil-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let authority = FleetAuthority(
            try server.address(database, role: "host\(number)"), password: nil, version: "benchmark")
        var options = Store.Options()
        options.authority = authority
        options.keepsWitness = false
        let boot = "00000000-0000-4000-8000-00000000000\(number)"
        options.runningTime = {
            RunningTime(boot: boot, milliseconds: Int64(uptime.duration(to: .now) / .milliseconds(1)))
        }
        store = try Store(
            path: directory.appending(path: "keys.sqlite").path, pepper: pepper, now: start, options: options)
        let host = try authority.register(
            FleetAuthority.Registration(
                name: "web\(number)", machine: [UInt8](repeating: UInt8(number), count: 16), boot: boot,
                version: "benchmark", schema: Store.schemaNumber, pepper: pepper.fingerprint))
        guard let identity = HostIdentity(number: host, name: "web\(number)") else { fatalError("no such host") }
        try store.join(
            identity,
            Membership(
                server: authority.server, maxStaleness: .seconds(900),
                leasePath: directory.appending(path: "lease").path))
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    func create(_ name: String, expiresAt: Instant? = nil) throws -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        var new = NewKey(name: name)
        new.expiresAt = expiresAt
        let issued = try store.ledger.create(
            new, shape: shape, signIn: nil, using: &generator, at: start, by: actor)
        return issued.secret.withBytes { span in span.indices.map { span[$0] } }
    }

    func verify(_ secret: [UInt8]) throws -> VerdictCode {
        var bytes = Secret(capacity: secret.count)
        bytes.append(contentsOf: secret)
        return try store.verify(bytes, at: start).code
    }

    /// Adds keys in one import.
    func importKeys(_ count: Int, expiresAt: Instant) throws {
        var generator = SystemRandomNumberGenerator()
        _ = try store.ledger.importKeys(using: &generator, at: start, by: actor, moved: { _, _ in }) { importer in
            for number in 0..<count {
                var new = NewKey(name: "key \(number)")
                new.expiresAt = expiresAt
                var secret = Secret(capacity: 40)
                secret.append(contentsOf: "kv_live_\(String(1_000_000 + number, radix: 36))_0123456789abcdefghij".utf8)
                try importer.add(new, .whole(secret, prefixLength: 12))
            }
            return true
        }
    }
}

/// The owner of the database.
func run(_ statement: Statement, in database: String) throws {
    var connection = try server.connect(database)
    // Not together: VACUUM has no transaction around it.
    for statement in ["SET statement_timeout = 0", statement] {
        try connection.run([statement], before: .after(.seconds(600)))
    }
}

// MARK: - A verification, beside a store without a fleet

let database = try server.makeFleetDatabase()
let first = try Member(1, in: database)
let second = try Member(2, in: database)
let due = start.advanced(by: .days(1))
let importing = try measure { try first.importKeys(keyCount, expiresAt: due) }
let copying = try copyTime(of: database)
print(
    "import, \(keyCount) keys   \(text(importing)) s; COPY of the same rows into tables with the same indexes \(text(copying)) s; ratio \(text(importing / copying)) (at most 3 is wanted)"
)
let applying = try measure { try second.store.catchUp() }
print("another member applies that in \(text(applying)) s")

let secret = try first.create("billing")
try second.store.catchUp()
let rounds = 20_000
let onMember = try measure { for _ in 0..<rounds { guard try second.verify(secret) == .valid else { fatalError() } } }
var alone = Store.Options()
alone.keepsWitness = false
let lone = second.directory.appending(path: "lone.sqlite").path
let bare = try Store(path: lone, pepper: pepper, now: start, options: alone)
var generator = SystemRandomNumberGenerator()
let issued = try bare.ledger.create(
    NewKey(name: "billing"), shape: shape, signIn: nil, using: &generator, at: start, by: actor)
let loneSecret = issued.secret.withBytes { span in span.indices.map { span[$0] } }
let onStore = try measure {
    for _ in 0..<rounds {
        var bytes = Secret(capacity: loneSecret.count)
        bytes.append(contentsOf: loneSecret)
        guard try bare.verify(bytes, at: start).code == .valid else { fatalError() }
    }
}
print(
    "verify on a member   \(text(Double(rounds) / onMember)) a second; a store without a fleet \(text(Double(rounds) / onStore)); ratio \(text(onStore / onMember)) (at least 0.5 is wanted)"
)

// MARK: - A revocation, until another member refuses the key

var listener = try (second.store.authority as? FleetAuthority)?.listen(
    heard: { _ in _ = try? second.store.catchUp() }, lost: {})
var times: [Double] = []
for number in 0..<200 {
    let secret = try first.create("short \(number)")
    let hash = pepper.hash(Secret(copying: secret.span))
    while try second.verify(secret) != .valid {}
    _ = try first.store.ledger.revoke("short \(number)", reason: nil, at: start, by: actor)
    times.append(try measure { while try second.store.verification(ofHash: hash, at: start).code == .valid {} })
}
print(
    "revocation acknowledged until refused by another member   p50 \(text(percentile(0.5, of: times) * 1000)) ms, p99 \(text(percentile(0.99, of: times) * 1000)) ms, longest \(text((times.max() ?? 0) * 1000)) ms (p99 of at most 50 is wanted)"
)
// The other host has a machine of its own: here it would take this one's processor during what follows.
listener = nil

// MARK: - A sweep, beside one UPDATE of the same rows

let sweep = try measure {
    while try first.store.ledger.sweep(at: due, limit: 2_000, by: actor).isIncomplete {}
}
// As they were before: an UPDATE that changes no indexed column would have less to do.
try run("UPDATE keyvigil.keys SET status = 'active', next_due_at = 0 WHERE status = 'expired'", in: database)
try run("VACUUM FULL keyvigil.keys", in: database)
try run("CHECKPOINT", in: database)
let floor = try measure {
    try run(
        "UPDATE keyvigil.keys SET status = 'expired', next_due_at = NULL WHERE next_due_at = 0", in: database)
}
print(
    "sweep, \(keyCount) due   \(text(sweep)) s; bare UPDATE in PostgreSQL \(text(floor)) s; ratio \(text(sweep / floor)) (at most 4 is wanted)"
)

// MARK: - Many writers, many hosts

let writers = try Writers(database: server.makeFleetDatabase())
let (ownChains, oneChain) = (try writers.rate(ownChains: true), try writers.rate(ownChains: false))
print(
    "\(Writers.count) hosts that change keys   \(text(ownChains)) changes a second; by one chain \(text(oneChain)); ratio \(text(ownChains / oneChain)) (at least 1.5 is wanted)"
)
for count in [8, 64, 1_000] {
    let question = try newsTime(hosts: count)
    print("a question for news in a fleet of \(count) hosts, with nothing new   \(text(question * 1000)) ms")
}
