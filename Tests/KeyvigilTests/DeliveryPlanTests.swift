import KeyStore
import Keys
import Testing

@testable import Keyvigil

@Suite("The plan of delivery")
struct DeliveryPlanTests {
    var plan = DeliveryPlan()

    func entry(_ row: Int64, _ priority: AlertPriority = .warning) -> OutboxEntry {
        OutboxEntry(row: row, id: "id-\(row)", priority: priority)
    }

    /// Sends, and lets journald take what was sent.
    mutating func send(_ entries: OutboxEntry...) {
        for entry in entries { plan.noteSent(entry) }
        plan.noteMarkSent()
        plan.noteTaken()
    }

    /// Sends again what is to be sent again at a time, and loses it.
    ///
    /// - Returns: the rows that were sent.
    mutating func loseTrials(at time: Int64) -> [Int64] {
        let again = plan.again(at: time, limit: 100)
        for entry in again { plan.noteSent(entry) }
        plan.noteMarkSent()
        plan.noteTaken()
        _ = plan.noteMissing(again, at: time)
        return again.map(\.row)
    }

    @Test("an alert is waited for until the mark behind it is taken, and nothing is left once it is seen")
    mutating func ordinary() {
        plan.noteSent(entry(1))
        #expect(plan.needsMark && plan.awaited == [entry(1)] && plan.decided.isEmpty)
        plan.noteTaken()
        #expect(plan.decided.isEmpty, "no mark was sent")
        plan.noteMarkSent()
        #expect(!plan.needsMark && plan.decided.isEmpty)
        plan.noteTaken()
        #expect(plan.decided == [entry(1)])
        #expect(plan.noteSeen([entry(1)]).isEmpty && !plan.isWaiting && plan.isWhole)
        #expect(plan.again(at: 0, limit: 9).isEmpty && plan.pause(at: 0) == nil)
    }

    @Test("what an earlier run sent is sent again at once, when this run's first mark has passed without it")
    mutating func earlierRun() {
        plan.begin(with: [entry(1), entry(2)])
        #expect(plan.again(at: 0, limit: 9).isEmpty && plan.decided.isEmpty)
        plan.noteMarkSent()
        plan.noteTaken()
        #expect(plan.noteSeen([entry(1)]).isEmpty)
        #expect(plan.noteMissing([entry(2)], at: 0).isEmpty)
        #expect(plan.again(at: 0, limit: 9) == [entry(2)] && plan.isWhole)
        // What an earlier run wrote says nothing of the settings of today.
        plan.begin(with: [entry(3, .info)])
        _ = plan.noteSeen([entry(3, .info)])
        #expect(!plan.isLeastUrgentShown)
    }

    @Test("what the kernel would not take is sent again without waiting, the most urgent first")
    mutating func blocked() {
        plan.noteUnsent([entry(1, .info), entry(2, .critical), entry(3, .info)])
        #expect(plan.again(at: 0, limit: 2).map(\.row) == [2, 1])
        plan.noteSent(entry(2, .critical))
        #expect(plan.again(at: 0, limit: 9).map(\.row) == [1, 3])
        plan.noteHopeless(entry(1, .info))
        #expect(plan.again(at: 0, limit: 9).map(\.row) == [3] && plan.isHopeless(entry(1, .info)))
    }

    @Test("of several missing alerts one is sent again; when it appears, the others are sent too")
    mutating func dropped() {
        send(entry(1), entry(2), entry(3))
        #expect(plan.noteMissing([entry(1), entry(2), entry(3)], at: 0).isEmpty)
        #expect(plan.again(at: 0, limit: 9) == [entry(1)] && plan.again(at: 0, limit: 9) == [entry(1)])
        plan.noteSent(entry(1))
        #expect(plan.again(at: 9999, limit: 9).isEmpty, "one is under way")
        #expect(plan.unshown.isEmpty, "a single loss is no news")
        #expect(Set(plan.noteSeen([entry(1)])) == [entry(2), entry(3)])
        #expect(plan.isWhole && plan.again(at: 0, limit: 9).map(\.row) == [2, 3])
    }

    @Test("a priority that stays away while the journal stores others is hidden: what it takes counts as delivered")
    mutating func hidden() {
        send(entry(1, .info), entry(2, .info))
        _ = plan.noteMissing([entry(1, .info), entry(2, .info)], at: 0)
        var time: Int64 = 0
        var trials = 0
        plan.noteStored(at: 0)
        while let pause = plan.pause(at: time), plan.hide(storesNothing: false).isEmpty {
            time += pause
            #expect(loseTrials(at: time) == [1])
            trials += 1
            #expect(trials <= 5)
            if trials == 2 { #expect(plan.unshown == [.info]) }
        }
        #expect(trials == 5 && time > 30_000, "longer than journald limits the rate by default")
        #expect(!plan.isWondering && plan.unshown == [.info] && plan.pause(at: time) == nil)
        // The next one counts as delivered as soon as it is taken, and one that appears ends it.
        send(entry(3, .info))
        #expect(plan.noteMissing([entry(3, .info)], at: time) == [entry(3, .info)])
        send(entry(4, .info))
        #expect(plan.noteSeen([entry(4, .info)]).isEmpty && plan.isWhole && plan.isLeastUrgentShown)
    }

    @Test("where nothing is stored at all, alerts wait without being sent again, until the journal grows")
    mutating func nothingStored() {
        send(entry(1), entry(2))
        _ = plan.noteMissing([entry(1), entry(2)], at: 0)
        var time: Int64 = 0
        for _ in 0..<5 {
            time += plan.pause(at: time) ?? 0
            #expect(loseTrials(at: time) == [1])
        }
        #expect(plan.hide(storesNothing: false).isEmpty && plan.isWondering)
        #expect(plan.again(at: time + 1_000_000, limit: 9).isEmpty)
        plan.noteStored(at: time)
        let again = plan.again(at: time, limit: 9)
        #expect(again == [entry(1)])
        plan.noteSent(entry(1))
        #expect(plan.noteSeen([entry(1)]) == [entry(2)])
    }

    @Test("a journal that is known to keep nothing counts as having shown it, after the same trials")
    mutating func storageNone() {
        send(entry(1))
        _ = plan.noteMissing([entry(1)], at: 0)
        #expect(plan.hide(storesNothing: true).isEmpty)
        var time: Int64 = 0
        for _ in 0..<5 {
            time += plan.pause(at: time) ?? 0
            _ = loseTrials(at: time)
        }
        #expect(plan.hide(storesNothing: true) == [entry(1)])
        // What is less urgent is shown: then this is, too.
        send(entry(2, .info))
        #expect(plan.noteSeen([entry(2, .info)]).isEmpty && plan.isWhole && plan.isLeastUrgentShown)
    }

    @Test(
        "where the journal may not be read, what was sent counts as delivered, and what an earlier run sent is sent again"
    )
    mutating func surrendered() {
        plan.begin(with: [entry(1)])
        plan.noteSent(entry(2))
        send(entry(3, .info))
        _ = plan.noteMissing([entry(3, .info)], at: 0)
        _ = plan.again(at: 0, limit: 9)
        #expect(Set(plan.surrender()) == [entry(2), entry(3, .info)])
        #expect(plan.again(at: 0, limit: 9) == [entry(1)] && plan.isWhole && plan.awaited.isEmpty)
    }

    @Test("missing alerts of one priority hold up no other, and not without end their own")
    mutating func others() {
        let many = (1...Int64(DeliveryPlan.mostMissing)).map { entry($0, .info) }
        for entry in many { plan.noteSent(entry) }
        #expect(plan.room > 0, "an urgent one always finds room")
        plan.noteMarkSent()
        plan.noteTaken()
        _ = plan.noteMissing(many, at: 0)
        #expect(plan.room == DeliveryPlan.window)
        #expect(plan.open == Set(AlertPriority.allCases).subtracting([.info]))
        plan.noteUnsent([entry(0, .critical)])
        #expect(plan.again(at: 0, limit: 9).map(\.row) == [0, 1])
    }
}

@Suite("What is said about delivery")
struct DegradationTests {
    var degradation = Degradation()

    @Test("a cause is said once, and its end once, also when an earlier run has said it")
    mutating func once() throws {
        degradation.begin(isSaid: false)
        #expect(degradation.news(isOver: true) == nil)
        degradation.note(unshown: [.notice, .info], storesNothing: false)
        let alert = try #require(degradation.news(isOver: false))
        #expect(alert.priority == .warning && alert.message.contains("notice, info"))
        degradation.noteSaid(alert)
        #expect(degradation.news(isOver: false) == nil)
        var next = Degradation()
        next.begin(isSaid: true)
        next.note(refusal: "it may not be read")
        #expect(next.isRefused)
        #expect(next.news(isOver: false) == nil)
        next.note(refusal: nil)
        #expect(next.news(isOver: false) == nil, "nothing is known yet")
        let end = try #require(next.news(isOver: true))
        #expect(end.priority == .notice)
        next.noteSaid(end)
        #expect(next.news(isOver: true) == nil)
    }

    @Test("dropped alerts are counted, and said once until they are over")
    mutating func dropped() throws {
        degradation.noteDropped(3)
        let alert = try #require(degradation.news(isOver: false))
        #expect(alert.message.contains("dropped 3 alerts"))
        degradation.noteSaid(alert)
        degradation.noteDropped(2)
        #expect(degradation.news(isOver: false) == nil)
        #expect(degradation.news(isOver: true)?.priority == .notice)
    }
}
