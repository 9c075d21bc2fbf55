import Keys
import Testing

@testable import KeyStore

@Suite("Locations of several hosts", .ofStoresAlone)
struct PlaceNameTests {
    let fixture: StoreFixture
    let store: Store
    let key: Key

    /// The store of the host `web2`, in which `web3` has found and expected the same as this host is about to.
    init() throws {
        fixture = try StoreFixture()
        store = try fixture.open()
        key = try fixture.create(store, "billing").key
        try store.become(try Self.host(2, "web2"))
        try beHost(3, "web3")
        try work()
        try beHost(2, "web2")
    }

    static func host(_ number: Int64, _ name: String) throws -> HostIdentity {
        try #require(HostIdentity(number: number, name: name))
    }

    /// Has the store say that it is of another host, so that what is done next is what that host does.
    func beHost(_ number: Int64, _ name: String) throws {
        try store.write { db in
            try AuditChains.begin(Self.host(number, name), db, pepper: fixture.pepper)
            try db.run("UPDATE store SET host = \(number)")
        }
    }

    static let place = "/srv/shop.git"
    static let file = "/etc/app.env"

    func sighting(_ place: String, source: String = "blob", repository: String? = nil) -> Sighting {
        Sighting(
            prefixID: 1, secretID: 1, source: source, repository: repository, object: "0123abcd",
            path: source == "journal" ? "app.service" : String(place.dropFirst(5)), line: 3, column: 7, commit: nil,
            author: nil, authoredAt: nil, isInHead: true, objectCount: 1, objects: ["0123abcd"], place: place)
    }

    /// What a host does that finds a key in a repository, in a file and in the journal.
    func work() throws {
        let ledger = fixture.ledger(store)
        _ = try ledger.expect("billing", in: [Self.file], at: fixture.start, by: fixture.actor)
        var tally = ScanTally(mostListed: 3)
        let sightings = [
            sighting("path:a.py"), sighting("path:b.py", source: "worktree"), sighting("app", source: "journal"),
            sighting("path:c.py", repository: "/srv/other.git"),
        ]
        _ = try ledger.remember(
            sightings, searched: [], in: Self.place, greatestSecret: 1, forms: 0, onLeak: .alert, tally: &tally,
            at: fixture.day(1), by: fixture.actor)
        let stray = UnregisteredSecret(
            issuer: "acme", prefix: "acme_", hash: SecretHash([UInt8](repeating: 7, count: 32)),
            sighting: sighting("path:d.py"))
        _ = try ledger.remember(unregistered: [stray], in: Self.place, mostListed: 10, at: fixture.day(1))
        try ledger.finishScan(
            of: Self.place, startedAt: fixture.day(1), problem: "a pack is damaged", leftOut: nil, reach: nil,
            alert: nil,
            at: fixture.day(1))
    }

    func paths(_ table: SQL) throws -> [String] {
        try store.read { try $0.all("SELECT path FROM \(table) ORDER BY path") }
    }

    func findings(in place: String? = nil) throws -> [Finding] {
        var found: [Finding] = []
        try store.forEachFinding(place: place, at: fixture.day(1)) { found.append($0) }
        return found
    }

    @Test("the tables name each location with its host, and a host sees its own without")
    func named() throws {
        #expect(try findings(in: Self.place).isEmpty && store.repositories().isEmpty)
        #expect(try store.lastProblem(of: Self.place) == nil && store.allExpectedPlaces().isEmpty)
        try work()
        #expect(try paths("repositories") == ["web2:/srv/shop.git", "web3:/srv/shop.git"])
        #expect(try paths("expected_places") == ["web2:/etc/app.env", "web3:/etc/app.env"])
        #expect(try store.repositories().map(\.path) == [Self.place])
        #expect(try store.repositories(with: ["a pack is damaged"]).values.map(\.path) == [Self.place])
        #expect(try store.lastProblem(of: Self.place) == "a pack is damaged")
        #expect(try store.allExpectedPlaces().paths == [Self.file])
        #expect(try findings(in: Self.place).map(\.repository) == [Self.place, Self.place, Self.place])
    }

    @Test("listings show those of other hosts with the name of the host")
    func listed() throws {
        try work()
        let other = "web3:/srv/shop.git"
        #expect(try Set(findings().map(\.repository)) == [Self.place, other])
        let inner = try findings().map { $0.sighting.repositoryPath(in: $0.repository) }
        #expect(Set(inner) == [Self.place, other])
        let elsewhere = Sighting.repositoryPath("/srv/other.git", in: other)
        #expect(elsewhere == "web3:/srv/other.git" && Sighting.isOnOtherHost(elsewhere))
        #expect(Sighting.repositoryPath("/srv/other.git", in: "/srv/a:/b") == "/srv/other.git")
        #expect(try store.unlistedPlaces().map(\.repository) == [Self.place, other])
        #expect(try store.unregisteredFindings().flatMap { $0.places.map(\.repository) } == [other, Self.place])
        #expect(try store.searches(for: key.id).map(\.path) == [Self.place, other])
        #expect(
            try store.expectedPlaces(of: key.id, at: fixture.day(1)).map(\.path) == [Self.file, "web3:/etc/app.env"])
        let repositories = try fixture.outbox(store).filter { $0.kind == .leakConfirmed }.map { $0.fields[.repository] }
        #expect(!repositories.isEmpty && repositories.allSatisfy { $0 == Self.place || $0 == "/srv/other.git" })
    }

    @Test("what a scan looks up is of its own host")
    func lookedUp() throws {
        func counts() throws -> [Int] {
            [
                try store.findingsToPlace(in: Self.place, head: "beef").count,
                try store.filesNotSeen(in: Self.place, since: fixture.day(2)).count,
                try store.entriesReceived(before: fixture.day(2), in: Self.place).count,
                try fixture.ledger(store).reportUnregistered(in: Self.place, mostListed: 10, at: fixture.day(2)),
                try fixture.ledger(store).reportUnlisted(in: Self.place, mostListed: 3, at: fixture.day(2)),
                try fixture.ledger(store).answerKnownLeaks(
                    in: Self.place, onLeak: .revoke, at: fixture.day(2), by: fixture.actor),
            ]
        }
        #expect(try counts() == [0, 0, 0, 0, 0, 0])
        try work()
        #expect(try counts() == [1, 1, 1, 1, 1, 1])
        #expect(try store.key("billing").recordedStatus == .revoked)
    }

    @Test("what a host closes, renames or corrects is its own")
    func closed() throws {
        try work()
        let ledger = fixture.ledger(store)
        try ledger.noteHead("beef", of: Self.place, places: [])
        #expect(try ledger.closePlace(Self.place, reason: "it is gone", at: fixture.day(2)))
        try ledger.renamePlace(Self.place, to: "/srv/…")
        _ = try ledger.unexpect("billing", in: Self.file, at: fixture.day(2), by: fixture.actor)
        #expect(try paths("expected_places") == ["web3:/etc/app.env"])
        try store.write { try RecordedTimes.correctOthers(step: nil, $0, at: fixture.start) }
        let rows = try store.read { db in
            try db.all("SELECT path, head, unwatched_at, scanned_at FROM repositories ORDER BY path") { row in
                let head: String? = try row["head"]
                let unwatched: Instant? = try row["unwatched_at"]
                let scanned: Instant = try row["scanned_at"]
                return "\(try row["path"] as String) \(head ?? "-") \(unwatched != nil) \(scanned == fixture.start)"
            }
        }
        #expect(rows == ["web2:/srv/… beef true true", "web3:/srv/shop.git - false false"])
        #expect(throws: StoreError.self) {
            try ledger.unexpect("billing", in: "web3:/etc/app.env", at: fixture.day(2), by: fixture.actor)
        }
    }

    @Test("an expected file of another host is no expected file of this one")
    func expected() throws {
        var sightings = [
            Sighting(
                prefixID: 1, secretID: 1, source: "file", object: nil, path: "app.env", line: 1, column: 1,
                commit: nil, author: nil, authoredAt: nil, isInHead: true, objectCount: 1, place: "path:app.env")
        ]
        try store.mark(&sightings, in: "/etc", try store.allExpectedPlaces())
        #expect(sightings[0].expectedID == nil)
        try work()
        try store.mark(&sightings, in: "/etc", try store.allExpectedPlaces())
        #expect(sightings[0].expectedID != nil)
    }
}
