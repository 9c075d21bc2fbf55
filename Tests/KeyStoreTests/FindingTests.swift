import Keys
import Testing

@testable import KeyStore

@Suite("Findings")
struct FindingTests {
    let fixture: StoreFixture
    let store: Store

    init() throws {
        fixture = try StoreFixture()
        store = try fixture.open()
    }

    func sighting(_ secret: Int64, isConfirmed: Bool = true, place: String = "path:a.py", source: String = "blob")
        -> Sighting
    {
        Sighting(
            prefixID: secret, secretID: isConfirmed ? secret : nil, source: source, object: "0123abcd", path: "a.py",
            line: 3,
            column: 7, commit: "beef", author: "Eve <eve@example.org>", authoredAt: "2027-01-01T00:00:00Z",
            isInHead: true,
            objectCount: 1, place: place)
    }

    /// Remembers sightings as one scan does, and returns the number of new findings.
    func see(_ sightings: [Sighting], in repository: String = "/srv/shop.git") throws -> Int {
        var tally = ScanTally(mostListed: 500)
        return try fixture.ledger(store).remember(
            sightings, searched: [], in: repository, greatestSecret: 1, tally: &tally, at: fixture.day(1),
            by: fixture.actor)
    }

    func states(at now: Instant? = nil) throws -> [String] {
        var states: [String] = []
        try store.forEachFinding(at: now ?? fixture.day(1)) {
            states.append("\($0.secretState.rawValue) \($0.status.rawValue)")
        }
        return states
    }

    @Test("a place is reported once, however often and in however many versions it is seen")
    func once() throws {
        _ = try fixture.create(store, "billing")
        #expect(try see([sighting(1), sighting(1), sighting(1, source: "worktree")]) == 1)
        #expect(try see([sighting(1)]) == 0)
        #expect(try see([sighting(1, place: "path:b.py")]) == 1)
        #expect(try see([sighting(1)], in: "/srv/fork.git") == 1)
        #expect(try fixture.alerts(store) == [.leakConfirmed, .leakConfirmed, .leakConfirmed])
    }

    @Test(
        "a mention is reported as one; the whole secret at the same place is reported besides, not the other way round")
    func mention() throws {
        _ = try fixture.create(store, "billing")
        #expect(try see([sighting(1, isConfirmed: false)]) == 1)
        #expect(try see([sighting(1)]) == 1)
        #expect(try see([sighting(1, isConfirmed: false)]) == 0)
        #expect(try fixture.alerts(store) == [.leakMention, .leakConfirmed])
        var count = 0
        try store.forEachFinding(at: fixture.start) { _ in count += 1 }
        #expect(count == 1)
    }

    @Test("a live secret's leak is critical, a dead one's is a notice; both say what to do")
    func priorities() throws {
        let (key, _) = try fixture.create(store, "billing") { $0.owner = "ana" }
        _ = try fixture.create(store, "old")
        _ = try fixture.ledger(store).revoke("old", reason: nil, at: fixture.start, by: fixture.actor)
        _ = try see([sighting(1), sighting(2)])
        let alerts = try store.undeliveredAlerts(limit: 10).map(\.alert)
        #expect(alerts.map(\.priority) == [.critical, .notice])
        #expect(alerts[0].fields[.secretState] == "current" && alerts[1].fields[.secretState] == "revoked")
        #expect(alerts[0].fields[.remedy] == "keyvigil rotate \(key.id)")
        #expect(
            alerts[0].fields[.owner] == "ana" && alerts[0].fields[.line] == "3" && alerts[0].fields[.commit] == "beef")
        #expect(try states() == ["current open", "revoked resolved"])
    }

    @Test("a leak is resolved when its secret no longer works, reported once, and open again if the key is valid again")
    func resolved() throws {
        _ = try fixture.create(store, "billing") { $0.expiresAt = fixture.day(5) }
        _ = try see([sighting(1), sighting(1, place: "path:b.py")])
        #expect(try store.key("billing").openLeaks == 2)
        _ = try fixture.ledger(store).sweep(at: fixture.day(5), by: fixture.actor)
        #expect(try states(at: fixture.day(5)) == ["expired resolved", "expired resolved"])
        #expect(try fixture.alerts(store).filter { $0 == .leakResolved }.count == 1)
        #expect(try store.key("billing").openLeaks == 0)
        var edit = KeyEdit()
        edit.expiresAt = .some(fixture.day(50))
        _ = try fixture.ledger(store).edit("billing", edit, at: fixture.day(6), by: fixture.actor)
        #expect(try states() == ["current open", "current open"])
        _ = try fixture.rotate(store, "billing", at: fixture.day(7))
        #expect(try states() == ["retired resolved", "retired resolved"])
        #expect(try fixture.alerts(store).filter { $0 == .leakResolved }.count == 2)
    }

    @Test("a leaked secret gets no overlap, whatever was asked for")
    func noOverlapForLeaked() throws {
        let (_, secret) = try fixture.create(store, "billing")
        _ = try see([sighting(1)])
        let (key, _) = try fixture.rotate(store, "billing", overlap: .days(3), at: fixture.day(2))
        #expect(key.retiresAt == nil)
        #expect(try fixture.verify(store, secret, at: fixture.day(2)) == .notFound)
        #expect(try states() == ["retired resolved"])
    }

    @Test("a leak of a retiring secret cuts its overlap short")
    func overlapCut() throws {
        let (_, secret) = try fixture.create(store, "billing")
        _ = try fixture.rotate(store, "billing", overlap: .days(30), at: fixture.start)
        #expect(try fixture.verify(store, secret, at: fixture.day(1)) == .valid)
        _ = try see([sighting(1)])
        #expect(try fixture.verify(store, secret, at: fixture.day(1)) == .notFound)
        #expect(try fixture.alerts(store) == [.leakConfirmed, .leakResolved])
        #expect(try fixture.audit(store) == ["key.created", "key.rotated", "secret.retired"])
        #expect(try store.key("billing").retiresAt == nil)
        #expect(try store.checkAudit() == .intact(events: 3))
    }

    @Test("a dismissed finding raises no alarm any more")
    func dismissed() throws {
        _ = try fixture.create(store, "billing")
        _ = try see([sighting(1)])
        try fixture.ledger(store).dismissFinding(1, reason: "a test fixture", at: fixture.day(1), by: fixture.actor)
        #expect(try see([sighting(1)]) == 0)
        #expect(try states() == ["current dismissed"])
        #expect(throws: StoreError.self) {
            try fixture.ledger(store).dismissFinding(9, reason: "x", at: fixture.day(1), by: fixture.actor)
        }
        #expect(try store.checkAudit() == .intact(events: 3))
    }

    /// A sighting in one or more versions of a file.
    func version(_ objects: [String], at path: String, isInHead: Bool) -> Sighting {
        var sighting = self.sighting(1, place: "path:\(path)")
        sighting.path = path
        sighting.object = objects.first
        sighting.objects = objects
        sighting.objectCount = objects.count
        sighting.isInHead = isInHead
        return sighting
    }

    /// The findings as short texts.
    func findings() throws -> [String] {
        var found: [String] = []
        try store.forEachFinding(at: fixture.start) { finding in
            let first = finding.first.map(\.path).map { " from \($0)" } ?? ""
            let head = finding.sighting.isInHead ? " in HEAD" : ""
            found.append("\(finding.sighting.path ?? "") \(finding.sighting.objectCount)\(head)\(first)")
        }
        return found
    }

    /// Notes where the findings stand in a new HEAD.
    func note(_ head: String, _ places: [(Int64, String?)]) throws {
        try fixture.ledger(store).noteHead(head, of: "/srv/shop.git", places: places)
    }

    @Test("a file that is copied as it is makes a finding of its own, once")
    func copiedLater() throws {
        _ = try fixture.create(store, "billing")
        _ = try see([version(["01", "02"], at: "a.py", isInHead: true)])
        #expect(try store.blobsWithFindings().sorted() == ["01", "02"])
        #expect(try see([version(["02"], at: "b.py", isInHead: true)]) == 1)
        #expect(try see([version(["02"], at: "b.py", isInHead: true)]) == 0)
        #expect(try findings() == ["a.py 2 in HEAD", "b.py 1 in HEAD"])
        #expect(try store.finding(2, at: fixture.start).sighting.commit == "beef")
        #expect(try fixture.alerts(store) == [.leakConfirmed, .leakConfirmed])
        // What was gone, and is back elsewhere, is another place; what is moved in one step is the same one.
        try note("f00d", [(1, nil), (2, nil)])
        try note("feed", [(1, "c.py"), (2, nil)])
        #expect(try see([version(["01"], at: "c.py", isInHead: true)]) == 1)
        #expect(try findings() == ["a.py 2", "b.py 1", "c.py 1 in HEAD"])
        try note("face", [(1, "d.py"), (2, "d.py"), (3, "d.py")])
        #expect(try see([version(["01"], at: "d.py", isInHead: true)]) == 0)
        #expect(try findings() == ["a.py 2", "b.py 1", "d.py 1 in HEAD from c.py"])
    }

    @Test(
        "a dismissed place is not taken for a new one: of a file that comes back elsewhere, or is in another repository"
    )
    func dismissedElsewhere() throws {
        _ = try fixture.create(store, "billing")
        _ = try see([version(["01"], at: "old.env", isInHead: true)])
        try note("f00d", [(1, nil)])
        try fixture.ledger(store).dismissFinding(1, reason: "it is gone", at: fixture.day(1), by: fixture.actor)
        try note("feed", [(1, "prod/.env")])
        #expect(try see([version(["01"], at: "prod/.env", isInHead: true)]) == 1)
        var other = version(["01"], at: "copy.env", isInHead: false)
        other.repository = "fork"
        other.place = "path:fork//copy.env"
        #expect(try see([other]) == 1)
        #expect(try states() == ["current dismissed", "current open", "current open"])
        #expect(try fixture.alerts(store).filter { $0 == .leakConfirmed }.count == 3)
    }

    @Test(
        "what was found in a file before git had it is in the history from then on, and its incident came in by the commit"
    )
    func becomesHistory() throws {
        _ = try fixture.create(store, "billing")
        var file = version([], at: "a.env", isInHead: true)
        (file.source, file.object, file.commit, file.author, file.authoredAt) = ("worktree", nil, nil, nil, nil)
        _ = try see([file])
        #expect(try store.incident(1, at: fixture.start).introducedAt == nil)
        // As it is staged.
        var staged = version(["01"], at: "a.env", isInHead: false)
        (staged.commit, staged.author, staged.authoredAt) = (nil, nil, nil)
        #expect(try see([staged]) == 0)
        #expect(try store.blobsWithFindings() == ["01"])
        #expect(try store.finding(1, at: fixture.start).sighting.source == "blob")
        #expect(try see([version(["01"], at: "a.env", isInHead: true)]) == 0)
        #expect(try store.finding(1, at: fixture.start).sighting.commit == "beef")
        #expect(try store.incident(1, at: fixture.start).introducedAt != nil)
    }

    @Test("a place in a branch other than HEAD's is a second one; an old one of a file that was moved is not")
    func branches() throws {
        func branch(_ path: String) -> Sighting {
            var sighting = version(["01"], at: path, isInHead: false)
            sighting.isAtTip = true
            return sighting
        }
        _ = try fixture.create(store, "billing")
        #expect(try see([version(["01"], at: "a.py", isInHead: true)]) == 1)
        #expect(try see([branch("b.py")]) == 1)
        #expect(try see([branch("b.py"), version(["01"], at: "old.py", isInHead: false)]) == 0)
        #expect(try findings() == ["a.py 1 in HEAD", "b.py 1"])
        // Moved in HEAD, while another branch still has it where it was.
        try note("cafe", [(1, "c.py"), (2, nil)])
        #expect(try see([branch("a.py"), branch("b.py"), version(["01"], at: "c.py", isInHead: true)]) == 0)
        #expect(try findings() == ["c.py 1 in HEAD from a.py", "b.py 1"])
        #expect(try fixture.alerts(store) == [.leakConfirmed, .leakConfirmed])
    }

    @Test("a file that is moved as it is takes its finding along, in one scan or in a later one")
    func moved() throws {
        _ = try fixture.create(store, "billing")
        #expect(try see([version(["01"], at: "a.py", isInHead: true)]) == 1)
        #expect(
            try see([version(["01"], at: "a.py", isInHead: false), version(["01"], at: "b.py", isInHead: true)]) == 0)
        #expect(try findings() == ["b.py 1 in HEAD from a.py"])
        // Moved once more, and all of history is read again, as after a repacking.
        let standing = try store.findingsToPlace(in: "/srv/shop.git", head: "cafe")
        #expect(standing == [HistoryFinding(id: 1, repository: nil, path: "b.py", objects: ["01"])])
        try note("cafe", [(1, "c.py")])
        #expect(try store.findingsToPlace(in: "/srv/shop.git", head: "cafe").isEmpty)
        #expect(
            try see([version(["01"], at: "a.py", isInHead: false), version(["01"], at: "c.py", isInHead: true)]) == 0)
        #expect(try findings() == ["c.py 1 in HEAD from a.py"])
        #expect(try fixture.alerts(store) == [.leakConfirmed])
    }

    @Test("what leaves HEAD is reported to have left it; a path that is taken is not taken again")
    func leavesHead() throws {
        _ = try fixture.create(store, "billing")
        _ = try see([version(["01"], at: "a.py", isInHead: true), version(["02"], at: "b.py", isInHead: true)])
        try note("cafe", [(1, nil), (2, "b.py")])
        #expect(try findings() == ["a.py 1", "b.py 1 in HEAD"])
        try note("beef", [(1, "b.py"), (2, nil)])
        #expect(try findings() == ["a.py 1", "b.py 1"])
        try note("f00d", [(1, "a.py"), (2, nil)])
        #expect(try findings() == ["a.py 1 in HEAD", "b.py 1"])
        // A part of a scan that sees an old version does not know HEAD.
        _ = try see([version(["01", "03"], at: "a.py", isInHead: true)])
        _ = try see([version(["03"], at: "a.py", isInHead: false)])
        #expect(try findings() == ["a.py 2 in HEAD", "b.py 1"])
    }

    @Test("a file that is gone, or was changed, and was not seen again is reported as gone")
    func files() throws {
        _ = try fixture.create(store, "billing")
        #expect(try see([sighting(1, source: "worktree")]) == 1)
        #expect(try store.filesNotSeen(in: "/srv/shop.git", since: fixture.day(1)).isEmpty)
        let missed = try store.filesNotSeen(in: "/srv/shop.git", since: fixture.day(2))
        #expect(missed == [FileFinding(number: .ofKey(1), repository: nil, path: "a.py", lastSeenAt: fixture.day(1))])
        try fixture.ledger(store).noteGone([.ofKey(1)], in: "/srv/shop.git", mostListed: 9)
        #expect(try findings() == ["a.py 1"])
        #expect(try see([sighting(1, source: "worktree")]) == 0)
        #expect(try findings() == ["a.py 1 in HEAD"])
    }

    @Test("a copy that is in HEAD beside the first is a second place, and so is the same content elsewhere")
    func copied() throws {
        _ = try fixture.create(store, "billing")
        #expect(
            try see([version(["01"], at: "a.py", isInHead: true), version(["01"], at: "b.py", isInHead: true)]) == 2)
        #expect(try see([version(["01"], at: "a.py", isInHead: true)], in: "/srv/fork.git") == 1)
        #expect(try findings() == ["a.py 1 in HEAD", "b.py 1 in HEAD", "a.py 1 in HEAD"])
    }

    @Test("the number of objects grows with each new version, and not when old ones are read again")
    func versions() throws {
        _ = try fixture.create(store, "billing")
        #expect(try see([version(["01", "02", "03"], at: "a.py", isInHead: true)]) == 1)
        #expect(try see([version(["04"], at: "a.py", isInHead: true)]) == 0)
        #expect(try see([version(["01", "02", "03", "04"], at: "a.py", isInHead: true)]) == 0)
        #expect(try findings() == ["a.py 4 in HEAD"])
    }

    @Test("a finding has its form, and who set it aside and why")
    func reported() throws {
        _ = try fixture.create(store, "billing")
        var encoded = sighting(1)
        encoded.form = "base64"
        #expect(try see([encoded]) == 1)
        #expect(try store.undeliveredAlerts(limit: 1).first?.alert.fields[.form] == "base64")
        #expect(
            try store.finding(1, at: fixture.start).sighting.form == "base64"
                && store.finding(1, at: fixture.start).dismissal == nil)
        try fixture.ledger(store).dismissFinding(1, reason: "a test fixture", at: fixture.day(2), by: fixture.actor)
        let dismissal = try #require(try store.finding(1, at: fixture.start).dismissal)
        #expect(dismissal.at == fixture.day(2) && dismissal.uid == 0 && dismissal.program == "test")
        #expect(dismissal.reason == "a test fixture")
        #expect(throws: StoreError.self) { try store.finding(2, at: fixture.start) }
    }

    @Test("where leaks revoke, the key ends in the same transaction, audited, and the alert says so")
    func revoking() throws {
        let (key, secret) = try fixture.create(store, "billing")
        #expect(try seeAndRevoke([sighting(1, isConfirmed: false)]) == 1)
        #expect(try fixture.verify(store, secret, at: fixture.day(1)) == .valid)
        #expect(try seeAndRevoke([sighting(1)]) == 1)
        #expect(try fixture.verify(store, secret, at: fixture.day(1)) == .revoked)
        #expect(try store.key("billing").revokeReason == "its secret leaked into /srv/shop.git")
        #expect(try fixture.alerts(store) == [.leakMention, .leakConfirmed, .leakResolved])
        let alert = try fixture.outbox(store)[1]
        #expect(alert.priority == .critical && alert.message.contains("revoked at once"))
        #expect(try states() == ["revoked resolved"])
        #expect(try fixture.audit(store) == ["key.created", "leak.confirmed", "key.revoked"])
        #expect(try store.checkAudit() == .intact(events: 3))
        // A key that is dead already is left alone.
        #expect(try seeAndRevoke([sighting(1, place: "path:b.py")]) == 1)
        #expect(try fixture.audit(store).count == 3)
        #expect(key.id == (try store.key("billing").id))
    }

    @Test("a retiring secret's leak ends that secret, not the key; of another issuer's key a person is asked to end it")
    func notRevoking() throws {
        _ = try fixture.create(store, "billing")
        let (_, second) = try fixture.rotate(store, "billing", overlap: .days(30), at: fixture.start)
        #expect(try seeAndRevoke([sighting(1)]) == 1)
        #expect(try fixture.verify(store, second, at: fixture.day(1)) == .valid)
        var issuers = IssuerCatalog(brand: "kv")
        issuers.add(
            IssuerProfile(
                name: "acme", title: "Acme", shape: .own(brand: "acme"), authorization: .bearer,
                revokeSteps: "delete it on Acme's page"))
        store.adopt(issuers)
        let (_, foreign) = try fixture.create(store, "theirs") {
            $0.issuer = "acme"
            $0.origin = .held
        }
        #expect(try seeAndRevoke([sighting(3)]) == 1)
        #expect(try fixture.verify(store, foreign, at: fixture.day(1)) == .valid)
        let alert = try #require(try fixture.outbox(store).last)
        #expect(alert.priority == .critical && alert.message.contains("delete it on Acme's page"))
    }

    @Test("where leaks revoke from now on, what is known ends its key, once; what was set aside, or is dead, does not")
    func knownLeaks() throws {
        for name in ["open", "aside", "mention", "elsewhere", "rotated"] { _ = try fixture.create(store, name) }
        _ = try see([
            sighting(1), sighting(1, place: "path:b.py"), sighting(2), sighting(3, isConfirmed: false), sighting(5),
        ])
        _ = try see([sighting(4)], in: "/srv/other.git")
        _ = try fixture.rotate(store, "rotated", at: fixture.day(1))
        try fixture.ledger(store).dismissFinding(3, reason: "an example", at: fixture.day(1), by: fixture.actor)
        var issuers = IssuerCatalog(brand: "kv")
        issuers.add(
            IssuerProfile(
                name: "acme", title: "Acme", shape: .own(brand: "acme"), authorization: .bearer,
                revokeSteps: "delete it on Acme's page"))
        store.adopt(issuers)
        _ = try fixture.create(store, "theirs") {
            $0.issuer = "acme"
            $0.origin = .held
        }
        _ = try see([sighting(try store.greatestSecret())])
        let before = try fixture.outbox(store).count
        func answer(_ onLeak: LeakAnswer) throws -> Int {
            try fixture.ledger(store).answerKnownLeaks(
                in: "/srv/shop.git", onLeak: onLeak, at: fixture.day(3), by: fixture.actor)
        }
        #expect(try answer(.alert) == 0)
        #expect(try answer(.revoke) == 1)
        #expect(try answer(.revoke) == 0)
        var statuses: [String] = []
        try store.forEachKey(at: fixture.day(3)) { statuses.append("\($0.name) \($0.recordedStatus.rawValue)") }
        #expect(statuses.filter { $0.hasSuffix("revoked") } == ["open revoked"])
        let alerts = try fixture.outbox(store).dropFirst(before)
        #expect(alerts.map(\.kind) == [.leakConfirmed, .leakResolved])
        #expect(alerts.first?.priority == .critical, "\(alerts)")
        #expect(alerts.first?.message.contains("the key was revoked now, as the configuration now requires") == true)
        guard case .intact = try store.checkAudit() else { Issue.record("the audit is broken"); return }
    }

    func seeAndRevoke(_ sightings: [Sighting]) throws -> Int {
        var tally = ScanTally(mostListed: 500)
        return try fixture.ledger(store).remember(
            sightings, searched: [], in: "/srv/shop.git", greatestSecret: 1, onLeak: .revoke, tally: &tally,
            at: fixture.day(1), by: fixture.actor)
    }

    func searched(_ units: [SearchedUnit]) throws -> [Bool] {
        try store.recall(units, at: fixture.start).areSearched
    }

    @Test("what was searched need not be searched again, until a secret is imported", .ofStoresAlone)
    func scanMemory() throws {
        _ = try fixture.create(store, "billing")
        let pack = SearchedUnit(kind: "pack", identity: [1, 2, 3])
        let other = SearchedUnit(kind: "loose", identity: [1, 2, 3])
        let greatest = try store.greatestSecret()
        var tally = ScanTally(mostListed: 500)
        #expect(greatest == 1)
        _ = try fixture.ledger(store).remember(
            [], searched: [pack], in: "/srv/shop.git", greatestSecret: greatest, tally: &tally, at: fixture.start,
            by: fixture.actor)
        #expect(try searched([pack, other]) == [true, false])
        // A secret that is made here after the pack was read cannot stand in it.
        _ = try fixture.create(store, "later")
        #expect(try searched([pack]) == [true])
        // An imported one can.
        try store.write { db in
            try db.script("UPDATE secrets SET origin = 'imported' WHERE secret_id = 2")
        }
        #expect(try searched([pack]) == [false])
        _ = try fixture.ledger(store).remember(
            [], searched: [pack], in: "/srv/shop.git", greatestSecret: 2, tally: &tally, at: fixture.start,
            by: fixture.actor)
        #expect(try searched([pack]) == [true])
    }

    @Test("every prefix that ever was is searched for, deleted keys' too, each part of them by itself")
    func prefixes() throws {
        #expect(try store.greatestSecret() == 0)
        let (first, _) = try fixture.create(store, "a")
        let (second, _) = try fixture.rotate(store, "a", at: fixture.day(1))
        _ = try fixture.ledger(store).delete("a", at: fixture.day(2), by: fixture.actor)
        try store.write { db in
            try db.script("UPDATE secrets SET length = NULL WHERE secret_id = 2")
        }
        func found(_ part: ClosedRange<Int64>) throws -> [String] {
            var found: [String] = []
            try store.forEachPrefix(in: part) { secret, prefix, length, _ in
                let text = String(decoding: prefix.indices.map { prefix[$0] }, as: UTF8.self)
                found.append("\(secret) \(text) \(length ?? 0)")
            }
            return found
        }
        let expected = ["1 \(first.prefix) \(first.prefix.utf8.count + 36)", "2 \(second.prefix) 0"]
        #expect(try store.greatestSecret() == 2)
        #expect(try found(1...2) == expected)
        #expect(try found(1...1) + found(2...2) == expected)
        #expect(try found(3...9).isEmpty)
    }
}
