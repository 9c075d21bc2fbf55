internal import CLinux
internal import Dispatch
internal import Glibc
internal import KeyStore
internal import Keys
internal import LeakScan
internal import Synchronization
internal import SystemPackage
internal import Systemd

/// How a lane runs: on its queue, one scan after the other.
extension ScanService {
    func run(_ lane: ScanLane) {
        let (request, control) = lane.begin(at: Self.uptime)
        let (settings, shortestPrefix, awaiting) = shared.withLock { shared in
            defer { if request.isAll { shared.awaiting = [] } }
            return (shared.settings, shared.shortestPrefix, request.isAll ? shared.awaiting : [])
        }
        do {
            let scan = LaneScan(service: self, lane: lane, request: request, settings: settings, control: control)
            let end = try self.scan(scan, shortestPrefix: shortestPrefix)
            let hasRecovered = shared.withLock { shared in
                defer { shared.isFailing = false }
                return shared.isFailing
            }
            if hasRecovered { recovered() }
            if let end { for ended in awaiting { ended(end) } }
        } catch {
            shared.withLock { shared in
                shared.isFailing = true
                // It is made again.
                shared.awaiting = awaiting + shared.awaiting
            }
            lane.noteFailed(request)
            failed(store.explained(error))
            retryTimer?.start(every: Self.retryPause)
        }
        shared.withLock { $0.searched[lane.kind] = nil }
        // A scan needs much, and then nothing for a day.
        if lane.end() {
            lane.queue.async { self.run(lane) }
        } else if !lanes.contains(where: \.isRunning) {
            keyvigil_return_memory()
        }
    }

    /// - Returns: nil for a scan that was stopped.
    func scan(_ scan: LaneScan, shortestPrefix: Int) throws -> ScanEnd? {
        let startedAt = now()
        let (settings, request, control) = (scan.settings, scan.request, scan.control)
        let targets = targets(settings, request)
        let (ready, suspect) = try scannable(targets, scan)
        if request.isAll { try closeUnwatched(targets, settings) }
        func end() -> ScanEnd { ScanEnd(beganAt: startedAt, endedAt: now(), places: targets.count) }
        guard !ready.isEmpty || !suspect.isEmpty else {
            try tellUnwatched()
            return end()
        }
        var options = ScanOptions()
        options.threads = settings.threads
        options.scratch = ScratchSpace(folder: store.folder)
        func runner(_ options: ScanOptions) -> ScanRunner {
            ScanRunner(
                store: store, shortestPrefix: shortestPrefix, remembersFiles: true, options: options,
                settings: settings, actor: AuditActor(uid: getuid(), program: "keyvigild"),
                places: shared.withLock { $0.places }, now: now)
        }
        var totals = ScanTotals()
        let size = scan.lane.kind == .quick ? Self.quickGroup : max(1, ready.count)
        let groups = stride(from: 0, to: ready.count, by: size).map { Array(ready[$0..<min($0 + size, ready.count)]) }
        for group in groups where !control.isStopped {
            try runner(options).scan(group, control: control, watcher: scan) { outcome in
                try finish(outcome, scan, startedAt: startedAt, &totals)
            }
        }
        for suspect in suspect where !control.isStopped {
            let options = suspect.isSetAside ? options.sparing : options
            try runner(options).scan([suspect.target], control: control, watcher: scan) { outcome in
                try finish(outcome, scan, startedAt: startedAt, isSetAside: suspect.isSetAside, &totals)
            }
        }
        // What the quick lane has searched meanwhile is a part of a scan of everything, which ends after it.
        var rest = request.isAll ? takeLeftToQuick() : []
        for _ in 0..<Self.mostRounds where !rest.isEmpty && !control.isStopped {
            quick.queue.sync {}
            let left = ready.filter { rest.contains(ExactText($0.path)) }
            try runner(options).scan(left, control: control, watcher: scan) { outcome in
                try finish(outcome, scan, startedAt: startedAt, &totals)
            }
            rest = takeLeftToQuick()
        }
        guard !control.isStopped else { return nil }
        try tellUnwatched()
        // Of a scan that a push has started only what it found is reported.
        guard request.isAll else { return end() }
        shared.withLock { $0.lastFinished = now() }
        try ledger.enqueue(Alert(finishedScan: totals), at: now())
        alerted()
        return end()
    }

    /// How often a scan of everything waits for the quick lane, which can be asked for the same place again and again.
    private static let mostRounds = 3

    private func takeLeftToQuick() -> Set<ExactText> {
        shared.withLock { shared in
            defer { shared.leftToQuick = [] }
            return shared.leftToQuick
        }
    }

    /// - Parameter isSetAside: what is not searched whole in little memory stays set aside.
    func finish(
        _ outcome: ScanOutcome, _ scan: LaneScan, startedAt: Instant, isSetAside: Bool = false,
        _ totals: inout ScanTotals
    ) throws {
        let path = outcome.target.path
        let problem = isSetAside && outcome.problem != nil ? SetAside.problem : outcome.problem
        scan.lane.endTurn()
        scan.lane.mark.clear()
        let isTurnOver = outcome.summary.wasCancelled && !scan.control.isStopped
        let isAskedAgain = shared.withLock { shared in
            shared.names[path] = outcome.place
            shared.searched[scan.lane.kind] = nil
            shared.putOff.remove(ExactText(path))
            let time = Self.uptime
            let took =
                time - (shared.began.removeValue(forKey: ExactText(path)) ?? time)
                + (shared.listed.removeValue(forKey: ExactText(path))?.took ?? 0)
            shared.turns.noteScanned(path, took: took, at: time, isWhole: !isTurnOver)
            return shared.again.remove(ExactText(path)) != nil
        }
        if isAskedAgain || isTurnOver { request(.some([ExactText(path)])) }
        totals.add(outcome, isTurnOver: isTurnOver)
        if outcome.hasAlerts { alerted() }
        // A scan that was stopped is no news; the next one goes on from there.
        guard !outcome.summary.wasCancelled else { return }
        if outcome.isListed {
            shared.withLock { $0.seen.noteScanned(path, began: startedAt, at: Self.uptime) }
        }
        suspects.forget(path)
        // The same problem is reported once, until it is over.
        let isNews = try problem != nil && store.lastProblem(of: outcome.place) != problem
        // A repository that is being made, repacked or removed looks as if something were missing.
        let isDoubtful =
            isNews && !scan.request.isAll
            && shared.withLock { $0.doubtful.updateValue(problem ?? "", forKey: ExactText(path)) } != problem
        guard !isDoubtful else {
            confirmTimer?.start(every: confirmPause)
            return
        }
        shared.withLock { $0.doubtful[path] = nil }
        try store.finishScan(
            of: outcome.place, startedAt: startedAt, problem: problem, leftOut: outcome.leftOut,
            reach: outcome.reach,
            alert: isNews ? Alert(failedScan: outcome) : nil, at: now())
        if isNews { alerted() }
    }
}

/// What a scan reports of itself.
extension ScanService {
    /// A scan of one lane.
    struct LaneScan: ListingWatcher {
        let service: ScanService
        let lane: ScanLane
        let request: ScanRequest
        let settings: Configuration.ScanSettings
        let control: ScanControl

        func willList(_ target: ScanTarget) -> Bool { service.willList(target, self) }

        func willRead(_ path: FilePath, of target: ScanTarget) { service.contents.watch(path, of: target.path) }

        func didList(_ target: ScanTarget, _ listing: ScanListing) {
            service.didList(target, listing, self)
        }

        func willSearch(_ target: ScanTarget) -> Bool { service.willSearch(target, self) }
    }

    /// Begins to look at a place. In the quick lane that counts as a part of its turn; elsewhere it takes as long as it takes.
    private func willList(_ target: ScanTarget, _ scan: LaneScan) -> Bool {
        guard !makesRoom(target, scan) else { return false }
        noteWork(at: target, scan.lane)
        shared.withLock { $0.listed[target.path] = (Self.uptime, 0) }
        scan.lane.beginTurn(scan.lane.kind == .quick ? quickTurn(of: scan) : nil, scan.control)
        contents.willList(target.path)
        if let layout = Scanner.repository(at: FilePath(target.path)) {
            watcher.watch([layout], of: target.path)
        } else if !Scanner.showsProcesses(FilePath(target.path)) {
            watcher.watchFolder(of: target.path)
        }
        return true
    }

    private func didList(_ target: ScanTarget, _ listing: ScanListing, _ scan: LaneScan) {
        let isNew = watcher.watch(listing.repositories, of: target.path, unless: { scan.control.isCancelled })
        let isCut = scan.control.isCancelled
        if !isCut { contents.didList(target.path) }
        scan.lane.mark.clear()
        let time = Self.uptime
        shared.withLock { shared in
            let took = time - (shared.listed[target.path]?.began ?? time)
            shared.listed[target.path]?.took = took
            shared.turns.noteListed(target.path, isSlow: isCut || took > scan.settings.pushTurn.milliseconds)
        }
        // Repositories inside of it are known only now: what was pushed to them meanwhile is looked for once more.
        if isNew || isCut { request(.some([ExactText(target.path)])) }
    }

    /// What is left of the turn that the places of a scan of the quick lane share; each has half of it at the least.
    private func quickTurn(of scan: LaneScan) -> Int64 {
        let turn = scan.settings.pushTurn.milliseconds
        return max(turn - scan.lane.elapsed(at: Self.uptime), turn / 2, 1)
    }

    /// Whether a place makes room in the quick lane, when a scan has lasted longer than a turn and others wait. It is scanned
    /// after them, and where it has to make room once more, with all else.
    private func makesRoom(_ target: ScanTarget, _ scan: LaneScan) -> Bool {
        guard scan.lane.isAwaited(at: Self.uptime, after: scan.settings.pushTurn.milliseconds) else { return false }
        let place = ExactText(target.path)
        let isFirst = shared.withLock { shared in
            if shared.putOff.insert(place).inserted { return true }
            shared.putOff.remove(place)
            return false
        }
        request(.some([place]), of: isFirst ? scan.lane : thorough)
        return true
    }

    /// Begins the turn of a place, unless the other lane searches it: then it is asked for again when that is done.
    private func willSearch(_ target: ScanTarget, _ scan: LaneScan) -> Bool {
        guard !makesRoom(target, scan) else { return false }
        let path = target.path
        let first = scan.lane.kind == .quick ? quickTurn(of: scan) : scan.settings.turn.milliseconds
        let turn: Int64? = shared.withLock { shared in
            guard !shared.searched.values.contains(where: { $0.isExactly(path) }) else {
                shared.again.insert(ExactText(path))
                if scan.lane.kind == .thorough, scan.request.isAll { shared.leftToQuick.insert(ExactText(path)) }
                return nil
            }
            shared.searched[scan.lane.kind] = path
            shared.began[path] = Self.uptime
            return shared.turns.turn(of: path, first)
        }
        guard let turn else { return false }
        noteWork(at: target, scan.lane)
        scan.lane.beginTurn(turn, scan.control)
        return true
    }

    /// Remembers the place that is being worked at: it is named if the work does not get on, or ends the daemon.
    private func noteWork(at target: ScanTarget, _ lane: ScanLane) {
        guard let name = shared.withLock({ $0.names[target.path] }) else { return }
        lane.note(name)
        lane.mark.set(name)
    }
}
