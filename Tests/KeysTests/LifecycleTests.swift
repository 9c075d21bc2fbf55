import Testing

@testable import Keys

@Suite("Lifecycle rules")
struct LifecycleTests {
    let policy = LifecyclePolicy(
        expiryNotices: [.days(7), .days(60), .days(1), .days(30)], overdueAfter: .days(14), lifetimeShare: 670,
        shortestRotatedLifetime: .days(7), unusedAfter: .days(90))
    let start = Instant(milliseconds: 1_800_000_000_000)

    func day(_ number: Int) -> Instant { start.advanced(by: .days(number)) }

    /// Advances from due date to due date, as the daemon does, and records the actions of each day.
    func play(_ facts: LifecycleFacts, until last: Int, skipping: ClosedRange<Int>? = nil) -> [String] {
        var facts = facts
        var events: [String] = []
        var now = start
        while let due = LifecycleRules.nextDue(for: facts, after: now, policy: policy), due <= day(last) {
            now = due
            if let skipping, due >= day(skipping.lowerBound), due < day(skipping.upperBound) {
                now = day(skipping.upperBound)
            }
            let actions = LifecycleRules.actions(for: facts, at: now, policy: policy)
            if actions.isEmpty { return events + ["stuck at day \(now.milliseconds(since: start) / 86_400_000)"] }
            for action in actions {
                let number = now.milliseconds(since: start) / 86_400_000
                switch action {
                case .expire: facts.status = .expired; events.append("\(number) expired")
                case .noticeExpiry(_, let notice):
                    facts.expiryNoticeSent = notice; events.append("\(number) notice \(notice)")
                case .noticeRotationDue: facts.rotationNotice = .due; events.append("\(number) due")
                case .noticeRotationOverdue: facts.rotationNotice = .overdue; events.append("\(number) overdue")
                case .noticeRetirement(_, let notice):
                    facts.retirementNoticeSent = notice; events.append("\(number) retirement notice \(notice)")
                case .retire: facts.retiresAt = nil; events.append("\(number) retired")
                case .noticeUnused: facts.unusedNoticeSent = true; events.append("\(number) unused")
                }
            }
        }
        return events
    }

    @Test("each expiry notice is sent once, then the key expires")
    func notices() {
        let facts = LifecycleFacts(
            status: .active, expiresAt: day(100), secretMadeAt: start, rotateEvery: .days(1000))
        #expect(
            play(facts, until: 400) == [
                "40 notice 60d", "70 notice 30d", "93 notice 7d", "99 notice 1d", "100 expired",
            ])
    }

    @Test("after an outage only the most urgent notice is sent")
    func outage() {
        let facts = LifecycleFacts(status: .active, expiresAt: day(100), secretMadeAt: start, rotateEvery: .days(1000))
        #expect(play(facts, until: 400, skipping: 30...95) == ["95 notice 7d", "99 notice 1d", "100 expired"])
        #expect(play(facts, until: 400, skipping: 30...150) == ["150 expired"])
    }

    @Test("a notice whose time had come when the expiry was set is passed over")
    func shortLifetime() {
        let expiresAt = day(20)
        let passed = LifecycleRules.noticePassedOver(expiresAt: expiresAt, at: start, policy: policy)
        #expect(passed == .days(30))
        let facts = LifecycleFacts(
            status: .active, expiresAt: expiresAt, secretMadeAt: start, rotateEvery: .days(1000),
            expiryNoticeSent: passed)
        #expect(play(facts, until: 400) == ["13 notice 7d", "19 notice 1d", "20 expired"])
    }

    @Test("a rotation becomes due, then overdue, each reported once")
    func rotation() {
        let facts = LifecycleFacts(status: .active, expiresAt: nil, secretMadeAt: start, rotateEvery: .days(30))
        #expect(play(facts, until: 400) == ["30 due", "44 overdue"])
        #expect(play(facts, until: 400, skipping: 20...60) == ["60 overdue"])
    }

    @Test("without a rotation period, two thirds of the lifetime is when a rotation is due")
    func lifetimeShare() {
        let facts = LifecycleFacts(
            status: .active, expiresAt: day(100), secretMadeAt: start, rotateEvery: nil, expiryNoticeSent: .days(1))
        #expect(play(facts, until: 99) == ["67 due", "81 overdue"])
        let short = LifecycleFacts(
            status: .active, expiresAt: day(6), secretMadeAt: start, rotateEvery: nil, expiryNoticeSent: .days(1))
        #expect(short.rotationDueAt(policy: policy) == nil)
    }

    @Test("a key that was used and is idle is reported once; one that was never used is not")
    func unused() {
        let used = LifecycleFacts(
            status: .active, expiresAt: nil, secretMadeAt: start, rotateEvery: nil, lastUsedAt: day(10))
        #expect(play(used, until: 400) == ["100 unused"])
        let never = LifecycleFacts(status: .active, expiresAt: nil, secretMadeAt: start, rotateEvery: nil)
        #expect(play(never, until: 400).isEmpty)
    }

    @Test("a retiring secret is retired at the end of its overlap")
    func overlap() {
        let facts = LifecycleFacts(
            status: .active, expiresAt: nil, secretMadeAt: start, rotateEvery: nil, retiresAt: day(3))
        #expect(
            play(facts, until: 400) == ["2 retirement notice 1d", "2 retirement notice 1h", "3 retired"])
        #expect(LifecycleRules.noticePassedOver(retiresAt: day(1), at: start) == .days(1))
        #expect(LifecycleRules.noticePassedOver(retiresAt: day(2), at: start) == nil)
    }

    @Test("nothing is ever due on a key that is not active", arguments: [KeyStatus.expired, .revoked, .deleted])
    func ended(status: KeyStatus) {
        let facts = LifecycleFacts(
            status: status, expiresAt: day(1), secretMadeAt: start, rotateEvery: .days(1), lastUsedAt: start,
            retiresAt: day(1))
        #expect(LifecycleRules.nextDue(for: facts, after: start, policy: policy) == nil)
        #expect(LifecycleRules.actions(for: facts, at: day(400), policy: policy).isEmpty)
    }

    @Test("the due date of a key is never later than its first action, whatever the facts")
    func dueDateIsNotLate() {
        var generator = SeededGenerator(state: 7)
        func maybe(_ range: Range<Int>) -> Instant? {
            Bool.random(using: &generator) ? day(Int.random(in: range, using: &generator)) : nil
        }
        for _ in 0..<2000 {
            let facts = LifecycleFacts(
                status: .active, expiresAt: maybe(1..<200), secretMadeAt: start,
                rotateEvery: Bool.random(using: &generator) ? .days(Int.random(in: 1..<200, using: &generator)) : nil,
                lastUsedAt: maybe(0..<50), retiresAt: maybe(1..<20),
                expiryNoticeSent: Bool.random(using: &generator)
                    ? policy.expiryNotices.randomElement(using: &generator) : nil,
                rotationNotice: LifecycleFacts.RotationNotice.allCases.randomElement(using: &generator) ?? .none,
                unusedNoticeSent: Bool.random(using: &generator))
            guard LifecycleRules.actions(for: facts, at: start, policy: policy).isEmpty else { continue }
            let due = LifecycleRules.nextDue(for: facts, after: start, policy: policy)
            let first = (1...420).first { !LifecycleRules.actions(for: facts, at: day($0), policy: policy).isEmpty }
            if let first {
                #expect(due.map { $0 <= day(first) && $0 > day(first - 1) } == true, "\(facts)")
            } else {
                #expect(due.map { $0 > day(420) } ?? true, "\(facts)")
            }
        }
    }

    @Test(
        "the grade of a secret is the key's fate first, else the secret's",
        arguments: [
            (SecretState.current, KeyStatus.active, SecretGrade.current), (.retiring, .active, .retiring),
            (.current, .revoked, .revoked), (.retired, .deleted, .deleted),
            // Recorded by a clock that was ahead: the date decides.
            (.retired, .active, .retiring), (.current, .expired, .current),
        ])
    func grades(secret: SecretState, key: KeyStatus, expected: SecretGrade) {
        let grade = SecretGrade(secret: secret, retiresAt: day(1), key: key, expiresAt: day(1), at: start)
        #expect(grade == expected)
        if key == .active {
            let later = SecretGrade(secret: secret, retiresAt: day(1), key: key, expiresAt: nil, at: day(1))
            #expect(later == (secret == .current ? expected : .retired))
            let atOnce = SecretGrade(secret: .retired, retiresAt: nil, key: key, expiresAt: nil, at: start)
            #expect(atOnce == .retired)
            #expect(SecretGrade(secret: secret, retiresAt: day(1), key: key, expiresAt: day(1), at: day(1)) == .expired)
        }
    }

    @Test("a policy is read from its fingerprint, and nothing else is")
    func fingerprints() {
        var policies = [LifecyclePolicy.standard]
        policies.append(
            LifecyclePolicy(
                expiryNotices: [], overdueAfter: .zero, lifetimeShare: 0, shortestRotatedLifetime: .seconds(90),
                unusedAfter: nil))
        policies.append(
            LifecyclePolicy(
                expiryNotices: [.days(1), Period(milliseconds: 90_061_001)], overdueAfter: .longest, lifetimeShare: 990,
                shortestRotatedLifetime: .days(1), unusedAfter: .zero))
        for policy in policies { #expect(LifecyclePolicy(fingerprint: policy.fingerprint) == policy) }
        let text = LifecyclePolicy.standard.fingerprint
        for other in ["", "v2" + text.dropFirst(2), text + " more=1", text.replacing("60d", with: "x"), text + "d"] {
            #expect(LifecyclePolicy(fingerprint: other) == nil, "\(other)")
        }
    }
}
