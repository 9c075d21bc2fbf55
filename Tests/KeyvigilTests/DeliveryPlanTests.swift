import Keys
import Testing

@testable import KeyStore
@testable import Keyvigil

@Suite("The plan of delivery")
struct DeliveryPlanTests {
    func alert(_ row: Int64, attempted: Bool = false) -> StoredAlert {
        StoredAlert(
            row: row, id: "id-\(row)", alert: Alert(kind: .keyExpired, priority: .warning, message: "m"),
            createdAt: .earliest, attemptedAt: attempted ? .earliest : nil)
    }

    @Test("a new alert is sent, waited for, and delivered once it stands in the journal")
    func ordinary() {
        var plan = DeliveryPlan()
        let first = plan.decide([alert(1)], present: [], at: 0)
        #expect(first.toSend.map(\.row) == [1] && !first.isWaiting)
        plan.noteSent(alert(1), at: 0)
        let second = plan.decide([alert(1, attempted: true)], present: [], at: 10)
        #expect(second.toSend.isEmpty && second.isWaiting && !second.needsProbe)
        let third = plan.decide([alert(1, attempted: true)], present: ["id-1"], at: 20)
        #expect(third.delivered.map(\.row) == [1] && !third.isWaiting)
    }

    @Test("what an earlier run sent is not sent again before the journal has shown this run's first entry")
    func earlierRun() {
        var plan = DeliveryPlan()
        let before = plan.decide([alert(1, attempted: true)], present: [], at: 0)
        #expect(before.toSend.isEmpty && before.isWaiting && !before.needsProbe)
        plan.noteStartSeen()
        #expect(plan.decide([alert(1, attempted: true)], present: ["id-1"], at: 0).delivered.map(\.row) == [1])
        #expect(plan.decide([alert(1, attempted: true)], present: [], at: 0).toSend.map(\.row) == [1])
    }

    @Test("what the kernel would not take is sent again without waiting")
    func blocked() {
        var plan = DeliveryPlan()
        plan.noteUnsent(alert(1))
        #expect(plan.attempted(in: [alert(1, attempted: true)]).isEmpty)
        #expect(plan.decide([alert(1, attempted: true)], present: [], at: 0).toSend.map(\.row) == [1])
        plan.noteSent(alert(1), at: 0)
        #expect(plan.decide([alert(1, attempted: true)], present: [], at: 1).toSend.isEmpty)
    }

    @Test("an alert that stays away is probed for once, and sent again only when the probe shows that it was dropped")
    func dropped() {
        var plan = DeliveryPlan()
        plan.noteSent(alert(1), at: 0)
        plan.noteSent(alert(2), at: 0)
        let batch = [alert(1, attempted: true), alert(2, attempted: true)]
        #expect(!plan.decide(batch, present: [], at: DeliveryPlan.patience).needsProbe)
        #expect(plan.decide(batch, present: [], at: DeliveryPlan.patience + 1).needsProbe)
        plan.noteProbeSent(at: DeliveryPlan.patience + 1)
        // Sent after the probe: the probe says nothing of it.
        plan.noteSent(alert(3), at: DeliveryPlan.patience + 2)
        #expect(!plan.decide(batch, present: [], at: 2 * DeliveryPlan.patience).needsProbe)
        plan.noteDelivered([alert(1)])
        plan.noteProbeSeen()
        let decision = plan.decide(
            [alert(2, attempted: true), alert(3, attempted: true)], present: [], at: DeliveryPlan.patience + 3)
        #expect(decision.toSend.map(\.row) == [2] && decision.isWaiting)
    }

    @Test("a probe that was dropped itself is followed by another, for alerts of this run and of earlier ones")
    func droppedProbe() {
        for isOfEarlierRun in [false, true] {
            var plan = DeliveryPlan()
            if !isOfEarlierRun { plan.noteSent(alert(1), at: 0) }
            let batch = [alert(1, attempted: true)]
            #expect(!plan.decide(batch, present: [], at: 0).needsProbe)
            #expect(plan.decide(batch, present: [], at: DeliveryPlan.patience + 1).needsProbe)
            plan.noteProbeSent(at: DeliveryPlan.patience + 1)
            #expect(!plan.decide(batch, present: [], at: 2 * DeliveryPlan.patience).needsProbe)
            #expect(plan.decide(batch, present: [], at: 3 * DeliveryPlan.patience).needsProbe)
            plan.noteProbeSent(at: 3 * DeliveryPlan.patience)
            plan.noteProbeSeen()
            #expect(plan.decide(batch, present: [], at: 3 * DeliveryPlan.patience).toSend.map(\.row) == [1])
        }
    }

    @Test("an alert that can never be sent does not hold up the others")
    func hopeless() {
        var plan = DeliveryPlan()
        plan.noteHopeless(alert(1))
        let decision = plan.decide([alert(1, attempted: true), alert(2)], present: [], at: 0)
        #expect(decision.toSend.map(\.row) == [2])
    }
}
