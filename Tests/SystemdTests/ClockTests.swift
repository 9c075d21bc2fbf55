import Dispatch
import Glibc
import Synchronization
import Testing

@testable import Systemd

@Suite("Clocks", .timeLimit(.minutes(30)))
struct ClockTests {
    private let queue = DispatchQueue(label: "test.clock")

    /// Waits for the first call of a handler.
    private func firstCall(_ begin: (@escaping @Sendable () -> Void) -> Void) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let once = Once(continuation)
            begin { once.resume(()) }
        }
    }

    @Test(
        "an instant in the past fires at once",
        arguments: [Int64.min, -1, 0, WallClock.now - 1, WallClock.now])
    func past(instant: Int64) async {
        var timer: WallClockTimer?
        await firstCall { done in
            timer = WallClockTimer(queue: queue, handler: done)
            timer?.arm(at: instant)
        }
        timer?.cancel()
    }

    @Test("a near instant fires when it has come, and not before")
    func near() async {
        let instant = WallClock.now + 30
        var timer: WallClockTimer?
        await firstCall { done in
            timer = WallClockTimer(queue: queue) {
                #expect(WallClock.now >= instant)
                done()
            }
            timer?.arm(at: instant)
        }
        timer?.cancel()
    }

    @Test("the last arming counts, each fires once, and a disarmed timer keeps quiet")
    func rearmed() async {
        let calls = Atomic<Int>(0)
        let next = Mutex<Once<Void>?>(nil)
        let timer = WallClockTimer(queue: queue) {
            calls.add(1, ordering: .relaxed)
            next.withLock { $0 }?.resume(())
        }
        timer.arm(at: .max)
        for expected in 1...2 {
            await withCheckedContinuation { continuation in
                next.withLock { $0 = Once(continuation) }
                timer.arm(at: 0)
            }
            #expect(calls.load(ordering: .relaxed) == expected)
        }
        timer.arm(at: WallClock.now + 10)
        timer.disarm()
        // A later deadline on the same serial queue: the disarmed timer would have fired before it.
        var second: WallClockTimer?
        await firstCall { done in
            second = WallClockTimer(queue: queue, handler: done)
            second?.arm(at: WallClock.now + 30)
        }
        second?.cancel()
        #expect(calls.load(ordering: .relaxed) == 2)
        timer.cancel()
    }

    @Test("an instant that has not come, by the clock, is waited for again")
    func setBack() async {
        // The clock shows 0 twice (when the timer is armed, and when Dispatch fires), as after a step back.
        let looks = Atomic<Int>(0)
        let fired = Atomic<Int>(0)
        var timer: WallClockTimer?
        await firstCall { done in
            timer = WallClockTimer(
                queue: queue,
                now: { looks.add(1, ordering: .relaxed).newValue <= 2 ? 0 : WallClock.now },
                handler: {
                    fired.add(1, ordering: .relaxed)
                    done()
                })
            timer?.arm(at: 1)
        }
        timer?.cancel()
        #expect(fired.load(ordering: .relaxed) == 1)
        #expect(looks.load(ordering: .relaxed) >= 3)
    }

    @Test("deadlines that Dispatch cannot hold are approached in steps")
    func deadlines() {
        let now: Int64 = 1_800_000_000_000
        #expect(WallClockTimer.deadline(for: now + 5, now: now) == now + 5)
        #expect(WallClockTimer.deadline(for: .max, now: now) == now + WallClockTimer.longestStep)
        #expect(WallClockTimer.deadline(for: .min, now: now) == 1)
        #expect(WallClockTimer.deadline(for: .max, now: .max) == .max)
    }

    @Test("a monotonic timer repeats until it is disarmed")
    func monotonic() async {
        let calls = Atomic<Int>(0)
        var timer: MonotonicTimer?
        await firstCall { done in
            timer = MonotonicTimer(queue: queue) {
                if calls.add(1, ordering: .relaxed).newValue == 3 { done() }
            }
            timer?.start(every: 1, first: 0)
        }
        queue.sync { timer?.disarm() }
        let after = calls.load(ordering: .relaxed)
        #expect(after >= 3)
    }

    @Test("what a read of the clock's descriptor means")
    func readings() {
        #expect(ClockChangeSource.Reading(count: -1, errno: ECANCELED) == .clockWasSet)
        #expect(ClockChangeSource.Reading(count: -1, errno: EAGAIN) == .nothing)
        #expect(ClockChangeSource.Reading(count: 8, errno: ECANCELED) == .expired)
    }

    @Test("only a set clock calls the handler")
    func clockChange() async throws {
        // A test cannot set the clock of the machine: a pipe replaces the timer, with one byte for each reading.
        var ends: [Int32] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        let writing = ends[1]
        let calls = Atomic<Int>(0)
        var source: ClockChangeSource?
        let pipe = try Descriptor(ends[0], for: "use a pipe")
        source = nil
        let readings: [UInt8] = [0, 1, 0, 1]
        let held = Held(pipe)
        await firstCall { done in
            source = ClockChangeSource(
                held.take(), queue: queue,
                read: { number in
                    var byte: UInt8 = 0
                    _ = unsafe read(number, &byte, 1)
                    return byte == 1 ? .clockWasSet : .nothing
                },
                handler: { if calls.add(1, ordering: .relaxed).newValue == 2 { done() } })
            for byte in readings {
                unsafe withUnsafeBytes(of: byte) { _ = unsafe write(writing, $0.baseAddress, 1) }
            }
        }
        source?.cancel()
        close(writing)
        #expect(calls.load(ordering: .relaxed) == 2)
    }

    @Test("the kernel accepts the timer, and an unset clock reads as nothing")
    func kernel() throws {
        let source = try ClockChangeSource(queue: queue) { Issue.record("no one set the clock") }
        #expect(ClockChangeSource.read(source.number) == .nothing)
        source.cancel()
    }
}
