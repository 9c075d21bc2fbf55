import Foundation
import Keys
import Testing

@testable import KeyStore

extension Store {
    /// Makes the store that of a host, without a fleet's database.
    func become(_ host: HostIdentity) throws {
        try write { try become(host, $0) }
        try readHost()
    }
}

/// A store in a folder of its own that goes away with the fixture.
final class StoreFixture {
    let directory: URL
    let pepper: Pepper
    var options = Store.Options()
    var generator = SystemRandomNumberGenerator()
    let shape = SecretShape.own(brand: "kv")
    let actor = AuditActor(uid: 0, program: "test")
    /// The tests own the time: it begins here.
    let start = Instant(milliseconds: 1_800_000_000_000)

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "keyvigil-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        pepper = try Self.pepper(fill: "p")
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    static func pepper(fill: Character) throws -> Pepper {
        var bytes = Secret(capacity: 32)
        bytes.append(contentsOf: String(repeating: fill, count: 32).utf8)
        return try Pepper(bytes)
    }

    var path: String { directory.appending(path: "keys.sqlite").path }

    func open(pepper: Pepper? = nil) throws -> Store {
        try LedgerEngine.underTest.open(path, pepper ?? self.pepper, start, options)
    }

    /// What records changes of the store, by the engine under test.
    func ledger(_ store: Store) -> any Ledger { LedgerEngine.underTest.ledger(store) }

    /// Another program that holds the store's write lock until it lets go.
    func lock() throws -> Connection {
        let connection = try connection()
        try connection.run("BEGIN IMMEDIATE")
        return connection
    }

    func unlock(_ connection: Connection) throws { try connection.run("ROLLBACK") }

    /// Another program's connection to the file.
    func connection(createsFile: Bool = false) throws -> Connection {
        if createsFile { _ = FileManager.default.createFile(atPath: path, contents: Data()) }
        return try Connection(path, .readWrite, patience: LockPatience(5))
    }

    func day(_ number: Int) -> Instant { start.advanced(by: .days(number)) }

    /// Makes a key and returns it with its secret's text.
    func create(
        _ store: Store, _ name: String, at now: Instant? = nil, _ change: (inout NewKey) throws -> Void = { _ in }
    ) throws
        -> (key: Key, secret: String)
    {
        var new = NewKey(name: name)
        try change(&new)
        let issued = try ledger(store).create(
            new, shape: shape, signIn: nil, using: &generator, at: now ?? start, by: actor)
        return (issued.key, Self.text(issued.secret))
    }

    func rotate(_ store: Store, _ name: String, overlap: Period = .zero, at now: Instant) throws -> (
        key: Key, secret: String
    ) {
        var rotation = Rotation()
        rotation.overlap = overlap
        return try rotate(store, name, rotation, at: now)
    }

    /// Rotates a key and returns it with its new secret's text, or with none where the request was carried out before.
    func rotate(_ store: Store, _ name: String, _ rotation: Rotation, at now: Instant) throws -> (
        key: Key, secret: String
    ) {
        switch try ledger(store).rotate(store.key(name), rotation, shape: shape, using: &generator, at: now, by: actor)
        {
        case .made(let issued): return (issued.key, Self.text(issued.secret))
        case .repeated(let repeated): return (repeated.key, "")
        }
    }

    func verify(_ store: Store, _ secret: String, permission: String? = nil, resource: String? = nil, at now: Instant)
        throws
        -> VerdictCode
    {
        try store.verify(
            Self.secret(secret), for: AccessRequest(permission: permission, resource: resource), at: now
        ).code
    }

    /// The kinds of the alerts in the outbox, oldest first.
    func alerts(_ store: Store) throws -> [AlertKind] { try outbox(store).map(\.kind) }

    /// The alerts in the outbox, oldest first.
    func outbox(_ store: Store) throws -> [Alert] {
        try store.undeliveredAlerts(limit: 1000).sorted { $0.row < $1.row }.map(\.alert)
    }

    /// The names of the audit's events, oldest first.
    func audit(_ store: Store) throws -> [String] {
        var actions: [String] = []
        try store.forEachAuditEvent { actions.append($0.action) }
        return actions
    }

    static func secret(_ text: String) -> Secret {
        var secret = Secret(capacity: text.utf8.count)
        secret.append(contentsOf: text.utf8)
        return secret
    }

    static func text(_ secret: borrowing Secret) -> String {
        secret.withBytes { span in
            var bytes: [UInt8] = []
            for index in span.indices { bytes.append(span[index]) }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
