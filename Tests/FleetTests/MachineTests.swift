import Foundation
import KeyStore
import Keys
import PostgreSQL
import PostgreSQLServer
import Testing

@testable import Fleet

@Suite(
    "Machines of a fleet, and their clocks",
    .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct MachineTests {
    @Test("a copy of a machine is refused while the machine lives, and changes nothing")
    func clone() throws {
        let fleet = try FleetFixture(hosts: 1)
        let (_, secret) = try fleet.create("billing", on: 1)
        try fleet[1].store.confirm()
        let copy = try FleetFixture.Member(1, copyOf: fleet[1], in: fleet)
        let error = try storeError { try copy.store.confirm() }
        #expect(error?.code == .duplicate && error?.message.contains("another machine") == true, "\(error as Any)")
        #expect(error?.hint?.contains("keyvigil fleet join") == true)
        let verification = try storeError { _ = try copy.store.verify(FleetFixture.secret(secret), at: fleet.start) }
        #expect(verification?.code == .duplicate)
        let change = try storeError {
            _ = try copy.store.ledger.revoke("billing", reason: nil, at: fleet.start, by: fleet.actor)
        }
        #expect(change?.code == .duplicate)
        try fleet[1].store.confirm()
        #expect(try fleet.verify(secret, on: 1) == .valid)
        // The machine is gone: its store may go on elsewhere.
        try fleet.run("UPDATE keyvigil.hosts SET seen_at = seen_at - interval '61 seconds'")
        try copy.store.confirm()
        _ = try copy.store.ledger.revoke("billing", reason: nil, at: fleet.start, by: fleet.actor)
    }

    @Test("a machine that has ended in order is the host again at once when it is started again")
    func startedAgain() throws {
        let fleet = try FleetFixture(hosts: 1)
        let (_, secret) = try fleet.create("billing", on: 1)
        try fleet[1].store.confirm()
        let next = try FleetFixture.Member(1, copyOf: fleet[1], in: fleet)
        #expect(try storeError { try next.store.confirm() }?.code == .duplicate)
        try fleet[1].store.signOff()
        try next.store.confirm()
        #expect(try next.store.verify(FleetFixture.secret(secret), at: fleet.start).code == .valid)
    }

    @Test(
        "a pooler before the database is refused with words",
        .enabled(if: Pooler.isInstalled, "pgbouncer is not installed"))
    func pooler() throws {
        let fleet = try FleetFixture(hosts: 1)
        let pooler = try Pooler(of: fleet.server, mode: "transaction")
        let authority = try fleet.authority(of: 1, by: pooler.directory.path)
        let error = try storeError { _ = try authority.news(after: []) }
        #expect(error?.message.contains("there is a pooler before the database") == true, "\(error as Any)")
        #expect(error?.hint?.contains("connect to the server itself") == true)
    }

    @Test("a clock that is an hour ahead, or behind, ends no key of the fleet early")
    func clocks() throws {
        let fleet = try FleetFixture(hosts: 2)
        let end = fleet.start.advanced(by: .days(1))
        let (_, secret) = try fleet.create("billing", on: 1, expiresAt: end)
        try fleet[2].store.catchUp()
        let (before, hour) = (end.preceded(by: .seconds(1800)), Period.seconds(3600))
        for number in 1...2 { fleet[number].faults.setTime(before) }
        // A host whose clock is ahead waits for that of the database. What it verifies itself it decides by its own.
        let early = try fleet[1].store.ledger.sweep(at: before.advanced(by: hour), limit: 10, by: fleet.actor)
        #expect(early.keys == 0 && early.awaitsFleet)
        #expect(try fleet.verify(secret, on: 1, at: before.advanced(by: hour)) == .expired)
        #expect(try fleet.verify(secret, on: 2, at: before) == .valid)
        // One whose clock is behind waits for its own.
        let after = end.advanced(by: .seconds(1))
        for number in 1...2 { fleet[number].faults.setTime(after) }
        #expect(try fleet[2].store.ledger.sweep(at: after.preceded(by: hour), limit: 10, by: fleet.actor).keys == 0)
        #expect(try fleet[1].store.ledger.sweep(at: after, limit: 10, by: fleet.actor).keys == 1)
        #expect(try fleet[2].store.ledger.sweep(at: after, limit: 10, by: fleet.actor).keys == 0)
        #expect(try fleet.number("SELECT count(*) FROM keyvigil.alerts WHERE kind = 'key.expired'") == 1)
    }

    @Test("a host whose clock is set back takes back nothing that has come by the clock of the fleet")
    func clockSetBack() throws {
        let fleet = try FleetFixture(hosts: 2)
        let end = fleet.start.advanced(by: .days(1))
        _ = try fleet.create("billing", on: 1, expiresAt: end)
        let after = end.advanced(by: .seconds(1))
        for number in 1...2 { fleet[number].faults.setTime(after) }
        try fleet[2].store.catchUp()
        #expect(try fleet[2].store.ledger.sweep(at: after, limit: 10, by: fleet.actor).keys == 1)
        let behind = after.preceded(by: .seconds(3600))
        // That it was is believed when it has been so for a while.
        #expect(try fleet[2].store.ledger.sweep(at: behind, limit: 10, by: fleet.actor).awaitsClock)
        fleet[2].wait(.seconds(60))
        #expect(try fleet[2].store.ledger.sweep(at: behind, limit: 10, by: fleet.actor).isClockBack)
        #expect(try fleet.status("billing", on: 2) == .expired)
        #expect(try !fleet[2].audit().contains("record.taken_back"))
        #expect(try fleet[2].outbox()["key.expired"] == 1)
        // What the host has recorded when it was ahead of the fleet, it takes back.
        let ahead = after.advanced(by: .seconds(3600))
        _ = try fleet[2].store.ledger.create(
            NewKey(name: "shop"), shape: fleet.shape, signIn: nil, using: &fleet.generator, at: ahead, by: fleet.actor)
        #expect(try fleet[2].store.ledger.sweep(at: after, limit: 10, by: fleet.actor).awaitsClock)
        fleet[2].wait(.seconds(60))
        #expect(try fleet[2].store.ledger.sweep(at: after, limit: 10, by: fleet.actor).isClockBack)
        try fleet[1].store.catchUp()
        #expect(try fleet[1].store.key("shop").createdAt <= after)
        #expect(try fleet.status("billing", on: 1) == .expired)
    }

    @Test("an expiry that another host records while a host looks at what lies ahead of its clock stays")
    func expiryDuringReview() throws {
        let fleet = try FleetFixture(hosts: 2)
        let end = fleet.start.advanced(by: .days(1))
        _ = try fleet.create("billing", on: 1, expiresAt: end)
        _ = try fleet.create("shop", on: 1, expiresAt: end.advanced(by: .seconds(5)))
        let after = end.advanced(by: .seconds(1))
        for number in 1...2 { fleet[number].faults.setTime(after) }
        try fleet[2].store.catchUp()
        #expect(try fleet[2].store.ledger.sweep(at: after, limit: 10, by: fleet.actor).keys > 0)
        let behind = after.preceded(by: .seconds(3600))
        #expect(try fleet[2].store.ledger.sweep(at: behind, limit: 10, by: fleet.actor).awaitsClock)
        let (first, second, actor) = (fleet[1], fleet[2], fleet.actor)
        second.wait(.seconds(60))
        second.faults.duringNextAnswer {
            // The answer takes ten seconds, in which the other key expires.
            let later = after.advanced(by: .seconds(10))
            first.faults.setTime(later)
            _ = try first.store.ledger.sweep(at: later, limit: 10, by: actor)
            second.wait(.seconds(10))
        }
        #expect(try second.store.ledger.sweep(at: behind, limit: 10, by: fleet.actor).isClockBack)
        #expect(try fleet.status("shop", on: 2) == .expired)
        #expect(try fleet[2].audit().filter { $0 == "key.expired" }.count == 2)
        #expect(try !fleet[2].audit().contains("record.taken_back"))
    }
}
