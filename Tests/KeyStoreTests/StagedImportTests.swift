import Foundation
import Keys
import Synchronization
import Testing

@testable import KeyStore

@Suite("An import in short transactions")
struct StagedImportTests {
    let fixture: StoreFixture
    private static let count = 300

    init() throws { fixture = try StoreFixture() }

    /// A store in which each transaction of an import seems to take too long, so that they become small.
    private func openSlow(_ committed: @escaping @Sendable () throws -> Void) throws -> Store {
        let clock = Shared<Int64>(0)
        fixture.options.uptime = {
            clock.change { time in
                time += 100
                return time
            }
        }
        fixture.options.importCommitted = committed
        defer { fixture.options = Store.Options() }
        return try fixture.open()
    }

    private static func secret(_ number: Int) -> String { "xx_\(1_000_000 + number)_5aX81kQz0pLw" }

    @discardableResult
    private func importKeys(_ store: Store, names: (Int) -> String = { "k\($0)" }) throws -> Int {
        let outcome = try store.importKeys(using: &fixture.generator, at: fixture.start, by: fixture.actor) {
            importer in
            for number in 0..<Self.count {
                var new = NewKey(origin: .held, name: names(number), issuer: "external")
                new.permissions = try PermissionSet(parsing: ["read"])
                if number == 7 { new.expected = ["/etc/a", "/etc/b\nc"] }
                try importer.add(new, .whole(StoreFixture.secret(Self.secret(number)), prefixLength: 10))
            }
            return true
        }
        #expect(outcome.refused.isEmpty)
        return outcome.added
    }

    /// What a reader sees: names that are listed, and secrets that are known.
    private func seen(_ store: Store) throws -> (names: Int, secrets: Int) {
        var names = 0
        try store.forEachKey(at: fixture.start) { if $0.name.hasPrefix("k") { names += 1 } }
        let secrets = try (0..<Self.count).count {
            try fixture.verify(store, Self.secret($0), at: fixture.start) == .valid
        }
        return (names, secrets)
    }

    private func isClean(_ path: String) throws -> Bool {
        let db = try Connection(path, .readOnly, patience: LockPatience(5))
        return try db.isTrue("SELECT NOT EXISTS (SELECT 1 FROM imports) AND NOT EXISTS (SELECT 1 FROM import_keys)")
    }

    @Test(
        "wherever it is cut off, the next opening has all keys or none, and none is valid of one that was not accepted",
        .ofStoresAlone)
    func cutOff() throws {
        let copies = Shared<[String]>([])
        let (path, directory) = (fixture.path, fixture.directory)
        let store = try openSlow {
            // What a crash at this moment leaves.
            try copies.change { copies in
                let copy = directory.appending(path: "copy\(copies.count).sqlite").path
                for suffix in ["", "-wal"] {
                    try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
                }
                copies.append(copy)
            }
        }
        _ = try fixture.create(store, "other")
        #expect(try importKeys(store) == Self.count)
        #expect(try seen(store) == (Self.count, Self.count))
        #expect(try isClean(fixture.path))
        #expect(
            try store.expectedPlaces(of: store.key("k7").id, at: fixture.start).map(\.path) == ["/etc/a", "/etc/b\nc"])
        #expect(try fixture.audit(store) == ["key.created"] + Array(repeating: "key.imported", count: Self.count))
        var outcomes: [Int] = []
        for (number, copy) in copies.value.enumerated() {
            let left = try Store(path: copy, pepper: fixture.pepper, now: fixture.start, options: Store.Options())
            let state = try #require(try left.importUnderWay())
            if !state.isAccepted { #expect(try seen(left) == (0, 0)) }
            // The tool and the daemon do the same, each in its way.
            if number.isMultiple(of: 2) {
                try left.settleImport()
            } else {
                while try left.sweep(at: fixture.start, by: fixture.actor).isIncomplete {}
            }
            let seen = try seen(left)
            #expect(seen == (state.isAccepted ? (Self.count, Self.count) : (0, 0)))
            #expect(try isClean(copy))
            try left.checkIntegrity()
            #expect(try left.checkAudit() == .intact(events: Int64(seen.names) + 1))
            outcomes.append(seen.names)
            if seen.names == 0 { #expect(try importKeys(left) == Self.count) }
        }
        #expect(Set(outcomes) == [0, Self.count] && outcomes == outcomes.sorted() && outcomes.count > 10)
    }

    @Test("the lock is free after each transaction, whose size follows from what the last ones took", .ofStoresAlone)
    func short() throws {
        let (start, actor, shape) = (fixture.start, fixture.actor, fixture.shape)
        let states = Shared<[ImportState]>([])
        let other = Shared<Store?>(nil)
        let store = try openSlow {
            guard let other = other.value else { return }
            let state = try #require(try other.importUnderWay())
            let number = states.change { states in
                states.append(state)
                return states.count
            }
            var generator = SystemRandomNumberGenerator()
            _ = try other.create(
                NewKey(name: "beside \(number)"), shape: shape, using: &generator, at: start, by: actor)
            // It is not taken for one that was cut off.
            try other.settleImport()
            #expect(try other.sweep(at: start, by: actor) == SweepResult())
            #expect(try other.importUnderWay() == state)
            let busy = #expect(throws: StoreError.self) {
                _ = try other.importKeys(using: &generator, at: start, by: actor) { _ in true }
            }
            #expect(busy?.code == .busy)
        }
        // Without any patience.
        var options = Store.Options()
        options.patience = 0
        let beside = try Store(path: fixture.path, pepper: fixture.pepper, now: fixture.start, options: options)
        other.change { $0 = beside }
        try importKeys(store)
        let seen = states.value
        let staged = seen.filter { !$0.isAccepted }.map(\.left)
        let moved = seen.filter(\.isAccepted).map(\.left)
        #expect(staged == staged.sorted() && moved == moved.sorted(by: >) && moved.first == Self.count)
        for sizes in [zip(staged.dropFirst(), staged).map(-), zip(moved, moved.dropFirst()).map(-)] {
            #expect(sizes.count > 3 && sizes.dropFirst(2).allSatisfy { $0 <= BatchPacer.keys.lowerBound }, "\(sizes)")
        }
        #expect(try beside.key("beside 1").status(at: fixture.start) == .active)
    }

    @Test("what another program takes meanwhile ends the import, of which nothing is left; what is staged is taken")
    func conflicts() throws {
        let (start, actor, shape) = (fixture.start, fixture.actor, fixture.shape)
        let other = Shared<Store?>(nil)
        let name = Shared("")
        let store = try openSlow {
            guard let other = other.value, name.value != "" else { return }
            var generator = SystemRandomNumberGenerator()
            func record(_ name: String, _ secret: String) throws {
                _ = try other.record(
                    NewKey(origin: .held, name: name, issuer: "external"),
                    .whole(StoreFixture.secret(secret), prefixLength: 10), using: &generator, at: start, by: actor)
            }
            #expect(throws: StoreError.self) { try record("k0", "zz_0000000_5aX81kQz0pLw") }
            #expect(throws: StoreError.self) { try record("new", Self.secret(0)) }
            #expect(throws: StoreError.self) { try other.rename("other", to: "k0", at: start, by: actor) }
            let taken = name.change { name in
                defer { name = "" }
                return name
            }
            if taken == "secret" {
                try record("taken", Self.secret(Self.count - 1))
            } else {
                _ = try other.create(NewKey(name: taken), shape: shape, using: &generator, at: start, by: actor)
            }
        }
        _ = try fixture.create(store, "other")
        let beside = try fixture.open()
        other.change { $0 = beside }
        for taken in ["k\(Self.count - 1)", "secret"] {
            name.change { $0 = taken }
            #expect(throws: StoreError.self) { try importKeys(store) }
            #expect(try isClean(fixture.path))
            let key = taken == "secret" ? "taken" : taken
            #expect(try seen(store) == (taken == "secret" ? (0, 1) : (1, 0)))
            #expect(try fixture.audit(beside).filter { $0 == "key.imported" }.count == (taken == "secret" ? 1 : 0))
            _ = try beside.delete(key, at: start, by: actor)
        }
        // The secret of a deleted key is known for good.
        #expect(throws: StoreError.self) { try importKeys(store) }
        #expect(try isClean(fixture.path))
    }

    @Test("a disk that is too small is full before an import is accepted, however little is missing")
    func full() throws {
        let store = try fixture.open()
        _ = try fixture.create(store, "other")
        let pages = try store.pool.withWriter { try $0.number(ofPragma: "page_count") }
        var failures = 0
        while true {
            try store.pool.withWriter { try $0.script("PRAGMA max_page_count = \(pages + 6 * failures)") }
            do {
                try importKeys(store)
                break
            } catch let error as StoreError {
                #expect(error.code == .full && !error.message.contains("accepted"), "\(error)")
                #expect(try seen(store) == (0, 0))
                #expect(try isClean(fixture.path))
                failures += 1
                try #require(failures < 200)
            }
        }
        #expect(failures > 10)
        #expect(try seen(store) == (Self.count, Self.count))
    }

    @Test("a staged key that others change is refused as one that was changed")
    func forged() throws {
        let path = fixture.path
        let store = try openSlow {
            try Connection(path, .readWrite, patience: LockPatience(5)).run(
                "UPDATE import_keys SET permissions = '*' WHERE name = 'k3'")
        }
        #expect(try importKeys(store) == Self.count)
        #expect(try fixture.verify(store, Self.secret(3), at: fixture.start) == .tampered)
        #expect(try fixture.verify(store, Self.secret(4), at: fixture.start) == .valid)
    }
}

/// A value that closures share.
private final class Shared<Value: Sendable>: Sendable {
    private let box: Mutex<Value>

    init(_ value: Value) { box = Mutex(value) }

    var value: Value { box.withLock { $0 } }

    func change<Result: Sendable>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        try box.withLock { value in try body(&value) }
    }
}
