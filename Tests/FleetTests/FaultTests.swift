import Foundation
import KeyStore
import Keys
import PostgreSQL
import PostgreSQLServer
import Synchronization
import Testing

@testable import Fleet

@Suite("Faults of a fleet", .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct FaultTests {
    /// A server that a test harms.
    private func ownServer() throws -> TestServer {
        let server = try TestServer()
        try server.makeLogins()
        return server
    }

    private let unknown = "kv_live_0000000000000000000000000000000000000000000"

    private func isAuditIntact(_ fleet: FleetFixture, on number: Int) throws -> Bool {
        if case .intact = try fleet[number].store.checkAudit() { return true }
        return false
    }

    // MARK: - The database goes away

    @Test(
        "without the database changes fail, and verification goes on until the copy is too old; then all is as before")
    func databaseCrashes() throws {
        let server = try ownServer()
        let fleet = try FleetFixture(hosts: 2, on: server)
        let (_, secret) = try fleet.create("billing", on: 1)
        let (_, revoked) = try fleet.create("former", on: 1)
        try fleet.revoke("former", on: 1)
        try fleet[2].store.confirm()
        try server.crash()

        let refusal = try storeError { _ = try fleet.create("more", on: 1) }
        #expect(
            refusal?.code == .unreachable && refusal?.message.contains("cannot be reached") == true, "\(refusal as Any)"
        )
        #expect(try fleet.verify(secret, on: 2) == .valid)
        fleet[2].wait(.seconds(600))
        #expect(try fleet.verify(secret, on: 2) == .valid)
        // What another host may know better is no answer.
        #expect(try storeError { _ = try fleet.verify(unknown, on: 2) }?.code == .unreachable)
        #expect(try fleet.status("former", on: 2) == .revoked)
        #expect(try storeError { _ = try fleet.verify(revoked, on: 2) }?.code == .unreachable)
        fleet[2].wait(.seconds(300))
        #expect(try storeError { _ = try fleet.verify(secret, on: 2) }?.code == .unreachable)
        let alone = try fleet[2].storeAlone()
        #expect(try storeError { _ = try alone.verify(FleetFixture.secret(secret), at: fleet.start) }?.code == .stale)

        try server.startAgain()
        try onceReached { try fleet[2].store.confirm() }
        #expect(try fleet.verify(secret, on: 2) == .valid)
        #expect(try fleet.verify(unknown, on: 2) == .notFound)
        _ = try onceReached { try fleet.create("more", on: 1) }
        #expect(try fleet.number("SELECT count(*) FROM keyvigil.keys") == 3)
        #expect(try fleet[1].store.activeKeyCount() == 2)
        #expect(try isAuditIntact(fleet, on: 1))
    }

    @Test(
        "a key that another host has just made is found by its name, and while the database is away none is said to be missing"
    )
    func foundByName() throws {
        let server = try ownServer()
        let fleet = try FleetFixture(hosts: 2, on: server)
        let (key, _) = try fleet.create("billing", on: 1)
        #expect(try fleet[2].store.key("billing").id == key.id)
        #expect(try storeError { _ = try fleet[2].store.key("shop") }?.code == .noSuchKey)
        _ = try fleet.create("shop", on: 1)
        try server.crash()
        #expect(try storeError { _ = try fleet[2].store.key("shop") }?.code == .unreachable)
        #expect(try fleet[2].store.key("billing").id == key.id)
    }

    @Test("a secret that another host makes while an answer to a question for news is slow is not refused afterwards")
    func slowAnswer() throws {
        let fleet = try FleetFixture(hosts: 2)
        _ = try fleet.create("billing", on: 1)
        try fleet[2].store.confirm()
        let (first, second, shape, start, actor) = (fleet[1], fleet[2], fleet.shape, fleet.start, fleet.actor)
        let made = Mutex("")
        second.wait(.seconds(1))
        second.faults.duringNextAnswer {
            var generator = SystemRandomNumberGenerator()
            let issued = try first.store.ledger.create(
                NewKey(name: "shop"), shape: shape, signIn: nil, using: &generator, at: start, by: actor)
            made.withLock { $0 = FleetFixture.text(issued.secret) }
            second.wait(.seconds(1))
        }
        #expect(try fleet.verify(unknown, on: 2) == .notFound)
        #expect(try fleet.verify(made.withLock(\.self), on: 2) == .valid)
    }

    @Test("what another program of the host has applied meanwhile is applied once, and no table is read again")
    func twoPrograms() throws {
        let fleet = try FleetFixture(hosts: 2)
        let (member, other) = (fleet[2], try fleet[2].storeOfOtherProgram())
        _ = try fleet.create("billing", on: 1)
        _ = try fleet.create("shop", on: 1)
        let copies = member.faults.copies
        member.faults.duringNextAnswer { try other.catchUp() }
        try member.store.catchUp()
        #expect(member.faults.copies == copies)
        #expect(try member.audit() == ["key.created", "key.created"])
        try fleet.revoke("billing", on: 1)
        try member.store.catchUp()
        #expect(try fleet.status("billing", on: 2) == .revoked && member.faults.copies == copies)
    }

    @Test("a change whose answer is lost happens once, and its caller gets what it has made", arguments: [true, false])
    func lostAnswer(isCommitted: Bool) throws {
        let relay = try Relay(of: TestServer.ofFleets.get())
        let fleet = try FleetFixture(hosts: 2, by: relay.directory.path)
        relay.arm(isCommitted ? .dropAnswer : .dropRequest, at: "NOTIFY keyvigil")
        let (key, secret) = try fleet.create("billing", on: 1)
        #expect(relay.cuts == 1)
        #expect(try fleet.verify(secret, on: 1) == .valid && fleet.verify(secret, on: 2) == .valid)
        #expect(try fleet[2].store.key("billing").id == key.id)
        #expect(try fleet.number("SELECT count(*) FROM keyvigil.keys") == 1)
        #expect(try fleet[1].audit() == ["key.created"] && fleet[2].audit() == ["key.created"])
    }

    @Test("a change that the database commits after it was asked whether it had is not made twice")
    func lateCommit() throws {
        let relay = try Relay(of: TestServer.ofFleets.get())
        let fleet = try FleetFixture(hosts: 2, by: relay.directory.path)
        let (_, first) = try fleet.create("billing", on: 1)
        relay.arm(.delayRequest, at: "NOTIFY keyvigil")
        let second = try #require(try fleet.rotate("billing", on: 1))
        #expect(relay.cuts == 1)
        #expect(try fleet.verify(second, on: 1) == .valid && fleet.verify(second, on: 2) == .valid)
        #expect(try fleet.verify(first, on: 2) != .valid)
        #expect(try fleet[2].audit() == ["key.created", "key.rotated"])
        #expect(try fleet.number("SELECT count(*) FROM keyvigil.secrets") == 2)
    }

    @Test("a change of unknown outcome is an error that says so, and is there later")
    func unknownOutcome() throws {
        let relay = try Relay(of: TestServer.ofFleets.get())
        let fleet = try FleetFixture(hosts: 1, by: relay.directory.path)
        _ = try fleet.create("billing", on: 1)
        relay.arm(.dropAnswerAndAll, at: "NOTIFY keyvigil")
        let error = try storeError { try fleet.revoke("billing", on: 1) }
        #expect(
            error?.code == .unreachable && error?.message.contains("lost while it committed") == true, "\(error as Any)"
        )
        #expect(error?.hint?.contains("run it again") == true)
        relay.refuses = false
        _ = try onceReached { try fleet[1].store.catchUp() }
        #expect(try fleet.status("billing", on: 1) == .revoked)
        #expect(try fleet[1].audit() == ["key.created", "key.revoked"])
    }

    // MARK: - Hosts that are killed

    @Test("a host that is killed between the commit of the fleet and its own has the change and its alert, each once")
    func killedBetweenCommits() throws {
        let fleet = try FleetFixture(hosts: 2)
        let end = fleet.start.advanced(by: .days(1))
        _ = try fleet.create("billing", on: 1, expiresAt: end)
        fleet[1].faults.dieAfterCommit()
        #expect(throws: (any Error).self) { try fleet[1].store.ledger.sweep(at: end, limit: 10, by: fleet.actor) }
        try fleet[1].restart()
        #expect(try fleet.status("billing", on: 1) == .active && fleet[1].store.undeliveredAlertCount() == 0)
        // As the daemon does when it starts.
        try fleet[1].store.confirm()
        #expect(try fleet.status("billing", on: 1) == .expired)
        #expect(try fleet[1].store.ledger.sweep(at: end, limit: 10, by: fleet.actor).keys == 0)
        #expect(try fleet[1].store.exchangeAlerts(at: end) >= 1)
        #expect(try fleet[1].outbox()["key.expired"] == 1)
        #expect(try fleet[1].store.exchangeAlerts(at: end) == 0)
        #expect(try fleet[2].store.exchangeAlerts(at: end) == 0)
        #expect(try fleet[1].audit().filter { $0 == "key.expired" }.count == 1)
        #expect(try isAuditIntact(fleet, on: 1) && isAuditIntact(fleet, on: 2))
    }

    @Test("an import that is killed between two commits is complete afterwards, with each key once")
    func killedImport() throws {
        let fleet = try FleetFixture(hosts: 2)
        fleet[1].faults.dieAfterCommit()
        #expect(throws: (any Error).self) {
            try fleet[1].store.ledger.importKeys(
                using: &fleet.generator, at: fleet.start, by: fleet.actor, moved: { _, _ in }
            ) { importer in
                for number in 1...3 {
                    try importer.add(
                        NewKey(name: "key\(number)"),
                        .whole(FleetFixture.secret("kv_live_imported\(number)_aaaaaaaaaaaaaaaaaaaa"), prefixLength: 17))
                }
                return true
            }
        }
        try fleet[1].restart()
        try fleet[1].store.settleImport()
        #expect(try fleet[1].store.importUnderWay() == nil)
        try fleet[2].store.catchUp()
        #expect(try fleet[1].store.activeKeyCount() == 3 && fleet[2].store.activeKeyCount() == 3)
        #expect(try fleet[2].audit().filter { $0 == "key.imported" }.count == 3)
        #expect(try fleet.verify("kv_live_imported2_aaaaaaaaaaaaaaaaaaaa", on: 2) == .valid)
    }

    @Test(
        "keys of an accepted import whose name or secret another host has used meanwhile are refused, and the others made"
    )
    func overtakenImport() throws {
        let fleet = try FleetFixture(hosts: 2)
        func secret(_ number: Int) -> Secret { FleetFixture.secret("kv_live_imported\(number)_aaaaaaaaaaaaaaaaaaaa") }
        let outcome = try fleet[1].store.ledger.importKeys(
            using: &fleet.generator, at: fleet.start, by: fleet.actor, moved: { _, _ in }
        ) { importer in
            for number in 1...3 {
                try importer.add(NewKey(name: "key\(number)"), .whole(secret(number), prefixLength: 17))
            }
            var generator = SystemRandomNumberGenerator()
            for (name, number) in [("key2", 9), ("other", 3)] {
                _ = try fleet[2].store.ledger.record(
                    NewKey(name: name), .whole(secret(number), prefixLength: 17), using: &generator, at: fleet.start,
                    by: fleet.actor)
            }
            return true
        }
        #expect(outcome.added == 3 && outcome.refused == ["key2", "key3"])
        #expect(try fleet[1].store.importUnderWay() == nil)
        try fleet[2].store.catchUp()
        for number in 1...2 {
            #expect(try fleet[number].store.activeKeyCount() == 3)
            #expect(try fleet.verify("kv_live_imported1_aaaaaaaaaaaaaaaaaaaa", on: number) == .valid)
            #expect(try fleet.verify("kv_live_imported2_aaaaaaaaaaaaaaaaaaaa", on: number) == .notFound)
        }
        #expect(try fleet[1].outbox()["import.refused"] == 1 && fleet[2].outbox()["import.refused"] == nil)
        #expect(try fleet[2].audit().filter { $0 == "import.refused" }.count == 2)
        #expect(try isAuditIntact(fleet, on: 1) && isAuditIntact(fleet, on: 2))
    }

    @Test("alerts that a host was to report and has not taken are taken by others when it is silent, each by one")
    func silentHost() async throws {
        let fleet = try FleetFixture(hosts: 3, alertHosts: ["web1"])
        let end = fleet.start.advanced(by: .days(1))
        for number in 1...20 { _ = try fleet.create("key\(number)", on: 1, expiresAt: end) }
        try fleet[2].store.confirm()
        #expect(try fleet[2].store.ledger.sweep(at: end, limit: 10, by: fleet.actor).keys == 10)
        try fleet[1].store.confirm()
        #expect(try fleet[1].store.ledger.sweep(at: end, limit: 100, by: fleet.actor).keys == 10)
        #expect(try fleet[1].outbox()["key.expired"] == 10)
        // Web1 lives: what it is to report is its own.
        #expect(try fleet[2].store.exchangeAlerts(at: end) == 0 && fleet[2].outbox()["key.expired"] == nil)

        try fleet.run("UPDATE keyvigil.hosts SET seen_at = seen_at - interval '301 seconds' WHERE name = 'web1'")
        let stores = [2, 3].map { fleet[$0].store }
        let taken = try await withThrowingTaskGroup(of: Int.self) { group in
            for store in stores { group.addTask { try store.exchangeAlerts(at: end) } }
            return try await group.reduce(0, +)
        }
        #expect(taken >= 10)
        let expired = try [1, 2, 3].map { try fleet[$0].outbox()["key.expired"] ?? 0 }
        #expect(expired[0] == 10 && expired[1] + expired[2] == 10, "\(expired)")
        // Web1 comes back, and takes none of them.
        try fleet[1].store.confirm()
        try fleet[1].store.exchangeAlerts(at: end)
        #expect(try fleet[1].outbox()["key.expired"] == 10)
    }

    // MARK: - Another state of the database

    @Test(
        "after a failover that has lost a revocation, the host that made it says so, and keeps it; the former primary is refused"
    )
    func failover() throws {
        let first = try ownServer()
        let second = try TestServer(copyOf: first)
        let fleet = try FleetFixture(
            hosts: 2, on: first, by: [first, second].map(\.directory.path).joined(separator: ","))
        let (_, secret) = try fleet.create("billing", on: 1)
        try fleet[2].store.confirm()
        let end = ContinuousClock.now + .seconds(30)
        while try fleet.number("SELECT count(*) FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn()") == 0
        {
            try #require(.now < end, "the standby does not come up to the primary")
        }
        try second.crash()
        try fleet.revoke("billing", on: 1)
        try first.crash()
        try second.startAgain()
        try second.promote()

        let error = try storeError { try onceReached { _ = try fleet[1].store.catchUp() } }
        #expect(
            error?.code == .rolledBack && error?.message.contains("no longer has changes") == true, "\(error as Any)")
        #expect(try fleet.status("billing", on: 1) == .revoked)
        #expect(try storeError { _ = try fleet.verify(secret, on: 1) }?.code == .rolledBack)
        #expect(try storeError { _ = try fleet.create("more", on: 1) }?.code == .rolledBack)
        // The other one has never heard of it.
        try onceReached { try fleet[2].store.confirm() }
        #expect(try fleet.verify(secret, on: 2) == .valid)

        try first.startAgain()
        let former = try fleet.authority(of: 2, by: first.directory.path)
        former.server = fleet[2].authority.server
        let refusal = try storeError { _ = try former.news(after: []) }
        #expect(
            refusal?.code == .unreachable && refusal?.message.contains("from before a failover") == true,
            "\(refusal as Any)")
        // The address names it first.
        _ = try fleet.create("after", on: 2)
    }

    @Test("when an older dump is put in the place of the database, a host that knows more keeps it, and says so")
    func olderDump() throws {
        let fleet = try FleetFixture(hosts: 2)
        let (_, secret) = try fleet.create("billing", on: 1)
        try fleet[2].store.catchUp()
        let dump = try fleet.server.dump(fleet.database)
        try fleet.revoke("billing", on: 1)
        try fleet[2].store.catchUp()
        try fleet.run("DROP SCHEMA keyvigil CASCADE")
        try fleet.server.restore(dump, to: fleet.database)
        #expect(try fleet.number("SELECT count(*) FROM keyvigil.keys WHERE status = 'active'") == 1)
        for number in 1...2 {
            #expect(try storeError { try fleet[number].store.confirm() }?.code == .rolledBack)
            #expect(try fleet.status("billing", on: number) == .revoked)
            #expect(try storeError { _ = try fleet.verify(secret, on: number) }?.code == .rolledBack)
            #expect(try fleet[number].store.obstacleToCatchingUp()?.code == .rolledBack)
        }
        // Other members see that it verifies for as long as it believes its copy, and no longer.
        let (hosts, now) = try fleet[1].authority.hosts()
        for (number, host) in zip(1...2, hosts) {
            let bound = try #require(fleet[number].store.membership?.maxStaleness.milliseconds)
            let believed = bound - (fleet[number].store.staleness?.milliseconds ?? bound)
            #expect((host.freshUntil?.milliseconds ?? 0) - now.milliseconds <= believed + 100)
        }
    }

    @Test("a host that was held back is said to verify before it believes its copy again")
    func heldBack() throws {
        let fleet = try FleetFixture(hosts: 1)
        _ = try fleet.create("billing", on: 1)
        try fleet[1].store.confirm()
        let dump = try fleet.server.dump(fleet.database)
        let (_, secret) = try fleet.create("more", on: 1)
        try fleet[1].store.confirm()
        let newer = try fleet.server.dump(fleet.database)
        func put(_ dump: String) throws {
            try fleet.run("DROP SCHEMA keyvigil CASCADE")
            try fleet.server.restore(dump, to: fleet.database)
        }
        func freshFor() throws -> Int64 {
            let (hosts, now) = try fleet[1].authority.hosts()
            return (hosts.first?.freshUntil?.milliseconds ?? 0) - now.milliseconds
        }
        let bound = try #require(fleet[1].store.membership?.maxStaleness.milliseconds)
        try put(dump)
        #expect(try storeError { try fleet[1].store.confirm() }?.code == .rolledBack)
        let first = try freshFor()
        #expect(try storeError { try fleet[1].store.confirm() }?.code == .rolledBack)
        // Signs of life do not prolong it.
        #expect(try first <= bound && freshFor() <= first)
        try put(newer)
        try fleet[1].store.confirm()
        #expect(try fleet.verify(secret, on: 1) == .valid)
        #expect(try freshFor() > bound - (fleet[1].store.staleness?.milliseconds ?? bound) - 1000)
    }

    @Test("a row that was changed in the database by hand is taken over by no host, and refused by one that is new")
    func changedByHand() throws {
        let fleet = try FleetFixture(hosts: 2)
        let (_, secret) = try fleet.create("billing", on: 1)
        try fleet.revoke("billing", on: 1)
        try fleet[2].store.catchUp()
        try fleet.run("UPDATE keyvigil.keys SET status = 'active', revoked_at = NULL")
        for number in 1...2 {
            try fleet[number].store.confirm()
            #expect(try fleet.verify(secret, on: number) == .revoked)
        }
        try fleet.addHost()
        #expect(try fleet.verify(secret, on: 3) == .tampered)
        try fleet[2].store.copyAll()
        #expect(try fleet.verify(secret, on: 2) == .tampered)
    }

    @Test("a host of an older version applies nothing of a newer one, and ends to verify")
    func newerVersion() throws {
        let fleet = try FleetFixture(hosts: 2)
        let (_, secret) = try fleet.create("billing", on: 1)
        try fleet[2].store.confirm()
        _ = try fleet.create("more", on: 1)
        try fleet.run(
            "UPDATE keyvigil.changes SET schema = \(Store.schemaNumber + 1) WHERE seq = (SELECT max(seq) FROM keyvigil.changes)"
        )
        let error = try storeError { try fleet[2].store.confirm() }
        #expect(
            error?.code == .newerVersion && error?.hint?.contains("install that version") == true, "\(error as Any)")
        #expect(try fleet[2].store.activeKeyCount() == 1)
        #expect(try fleet.verify(secret, on: 2) == .valid)
        fleet[2].wait(.seconds(900))
        #expect(try storeError { _ = try fleet.verify(secret, on: 2) }?.code == .newerVersion)
    }

    @Test("uses that are seen while the database is away are recorded and reported when it is back, each once")
    func waitingUses() throws {
        let relay = try Relay(of: TestServer.ofFleets.get())
        let fleet = try FleetFixture(hosts: 1, by: relay.directory.path)
        let (_, secret) = try fleet.create("billing", on: 1)
        let (_, retired) = try fleet.create("devices", on: 1)
        _ = try fleet.rotate("devices", on: 1)
        let store = fleet[1].store
        func use(_ secret: String, after period: Period) throws {
            let instant = fleet.start.advanced(by: period)
            let found = try store.verification(ofHash: fleet.pepper.hash(FleetFixture.secret(secret)), at: instant)
            try UseRecorder.record(found, in: store.ledger, from: nil, at: instant)
        }
        func lastUse() throws -> Instant? { try store.key("billing").lastUsedAt }
        relay.refuses = true
        relay.arm(.dropRequest, at: "feeds")
        for minutes in [1, 5, 40, 41] {
            try use(secret, after: .seconds(60 * minutes))
            try use(retired, after: .seconds(60 * minutes))
        }
        #expect(relay.cuts == 1)
        #expect(try lastUse() == nil && fleet[1].outbox()["secret.reused"] == nil)
        try fleet[1].restart()
        relay.refuses = false
        #expect(try onceReached { try fleet[1].store.recordWaitingUses() } == 1)
        #expect(try lastUse() == fleet.start.advanced(by: .seconds(60 * 40)))
        #expect(try fleet[1].outbox()["secret.reused"] == 1)
        #expect(try fleet[1].store.recordWaitingUses() == 0)
        #expect(try fleet[1].outbox()["secret.reused"] == 1)
        #expect(try fleet.number("SELECT count(*) FROM keyvigil.keys WHERE last_used_at IS NOT NULL") >= 1)
    }

    @Test("a use is kept, and the verification is none the worse, where an older state of the database is in its place")
    func useOfOlderState() throws {
        let fleet = try FleetFixture(hosts: 1)
        let (_, secret) = try fleet.create("billing", on: 1)
        let store = fleet[1].store
        let found = try store.verify(FleetFixture.secret(secret), at: fleet.start)
        try fleet.run("UPDATE keyvigil.feeds SET seq = seq - 1")
        #expect(try storeError { try store.catchUp() }?.code == .rolledBack)
        try UseRecorder.record(found, in: store.ledger, from: nil, at: fleet.start)
        #expect(try store.key("billing").lastUsedAt == nil)
        #expect(try storeError { _ = try store.recordWaitingUses() }?.code == .rolledBack)
        try fleet.run("UPDATE keyvigil.feeds SET seq = seq + 1")
        #expect(try store.recordWaitingUses() == 0)
        #expect(try store.key("billing").lastUsedAt == fleet.start)
    }

    // MARK: - At once

    @Test("of two hosts that are asked for one rotation at once, one makes it")
    func sameRequest() async throws {
        let fleet = try FleetFixture(hosts: 2)
        _ = try fleet.create("billing", on: 1)
        try fleet[2].store.catchUp()
        let (stores, shape, start, actor) = ([1, 2].map { fleet[$0].store }, fleet.shape, fleet.start, fleet.actor)
        let made = try await withThrowingTaskGroup(of: Bool.self) { group in
            for store in stores {
                group.addTask {
                    var (generator, rotation) = (SystemRandomNumberGenerator(), Rotation())
                    rotation.idempotencyKey = "a request"
                    switch try store.ledger.rotate(
                        store.key("billing"), rotation, shape: shape, using: &generator, at: start, by: actor)
                    {
                    case .made: return true
                    case .repeated: return false
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(made.filter(\.self).count == 1)
        #expect(try fleet.number("SELECT count(*) FROM keyvigil.secrets") == 2)
        try fleet[1].store.catchUp()
        #expect(try fleet[1].audit() == ["key.created", "key.rotated"])
    }

    @Test("a rotation and a revocation of one key at once leave it revoked")
    func rotationAndRevocation() async throws {
        let fleet = try FleetFixture(hosts: 2)
        _ = try fleet.create("billing", on: 1)
        try fleet[2].store.catchUp()
        let (stores, shape, start, actor) = ([1, 2].map { fleet[$0].store }, fleet.shape, fleet.start, fleet.actor)
        let errors = await withTaskGroup(of: (any Error)?.self) { group in
            group.addTask {
                var generator = SystemRandomNumberGenerator()
                do {
                    _ = try stores[0].ledger.rotate(
                        stores[0].key("billing"), Rotation(), shape: shape, using: &generator, at: start, by: actor)
                    return nil
                } catch { return error }
            }
            group.addTask {
                do {
                    _ = try stores[1].ledger.revoke("billing", reason: nil, at: start, by: actor)
                    return nil
                } catch { return error }
            }
            return await group.reduce(into: []) { if let error = $1 { $0.append(error) } }
        }
        // The rotation may have come too late.
        #expect(errors.allSatisfy { ($0 as? StoreError)?.code == .refused } && errors.count <= 1, "\(errors)")
        for store in stores {
            try store.catchUp()
            #expect(try store.key("billing").recordedStatus == .revoked)
        }
        #expect(try isAuditIntact(fleet, on: 1) && isAuditIntact(fleet, on: 2))
    }

    @Test("what a host has searched is due again when another one has imported a secret meanwhile")
    func importDuringScan() throws {
        let fleet = try FleetFixture(hosts: 2)
        _ = try fleet.create("billing", on: 1)
        let unit = SearchedUnit(kind: "pack", identity: [UInt8](repeating: 7, count: 20))
        let scanner = fleet[2].store
        try scanner.catchUp()
        let reach = try scanner.greatestSecret()
        _ = try fleet[1].store.ledger.record(
            NewKey(name: "imported"),
            .whole(FleetFixture.secret("kv_live_imported_aaaaaaaaaaaaaaaaaaaaaaa"), prefixLength: 16),
            using: &fleet.generator, at: fleet.start, by: fleet.actor)
        var tally = ScanTally(mostListed: 100)
        _ = try scanner.ledger.remember(
            [], searched: [unit], in: "/srv/git/shop.git", greatestSecret: reach, forms: 0, onLeak: .alert,
            tally: &tally, at: fleet.start, by: fleet.actor)
        try scanner.catchUp()
        #expect(try scanner.recall([unit], at: fleet.start).areSearched == [false])
        #expect(try scanner.greatestSecret() > reach)
        _ = try scanner.ledger.remember(
            [], searched: [unit], in: "/srv/git/shop.git", greatestSecret: try scanner.greatestSecret(), forms: 0,
            onLeak: .alert, tally: &tally, at: fleet.start, by: fleet.actor)
        #expect(try scanner.recall([unit], at: fleet.start).areSearched == [true])
    }
}
