internal import ArgumentParser
internal import Errors
internal import KeyStore
internal import Keys
internal import LeakScan
internal import SystemPackage
internal import Systemd

/// What `scan` does in a hook: it searches what is new, refuses what holds a whole secret, and remembers nothing, since
/// what is refused is nowhere yet.
extension ScanCommand {
    /// Goes by the store, where it may be read; else by the daemon's answers; else by the list for hooks; else by what the
    /// administrator has chosen.
    ///
    /// - Throws: `ExitCode(1)` for a whole secret. A prefix alone is shown and accepted: it is public.
    func runHook() throws {
        // Standard input can be read once.
        let updates = preReceive ? Self.readUpdates() : []
        let settings = (try? common.load())?.configuration.hooks ?? Configuration.HookSettings()
        let store = Result { try common.open() }
        guard case .failure(let storeTrouble) = store else {
            return try runHook(HookKnowledge(try store.get()), updates)
        }
        var reasons: [String] = []
        if common.isService, hookList == nil {
            do {
                return try runHook(try askedKnowledge(settings), updates)
            } catch let unanswered as HookQuestions.Unanswered {
                reasons.append(unanswered.reason)
            }
        }
        if let list = try listedKnowledge() {
            for reason in reasons { Terminal.say("keyvigil: note: \(reason); going by the list for hooks") }
            return try runHook(list, updates)
        }
        let known = storeTrouble as? any ExplainedError
        let error = InputError(
            (["the hook cannot know the keys: \(known?.message ?? "\(storeTrouble)")"] + reasons).joined(
                separator: "; "),
            hint: "an administrator lets you ask the daemon: \(SocketName.hook.joining); or exports a list: "
                + "keyvigil export-hook-list \(HookList.standardPath)" + (known?.hint.map { "; else: \($0)" } ?? ""))
        guard settings.unanswered == .allow else { throw error }
        Terminal.say(
            "keyvigil: warning: \(error.message); nothing was searched, and the \(staged ? "commit" : "push") is accepted"
        )
        if let hint = error.hint { Terminal.say("hint: \(hint)") }
    }

    /// What the daemon answers.
    private func askedKnowledge(_ settings: Configuration.HookSettings) throws -> HookKnowledge {
        let daemon = HookQuestions(socket: SocketName.hook.path, patience: settings.patience)
        return HookKnowledge(
            try HookList(parsing: try daemon.starts(), path: SocketName.hook.path, daemon: daemon))
    }

    /// What an administrator has exported; nil where there is none at the usual place.
    private func listedKnowledge() throws -> HookKnowledge? {
        let path = hookList ?? HookList.standardPath
        guard let bytes = try? SmallFile.bytes(of: path, limit: 1 << 30),
            let text = String(validating: bytes, as: UTF8.self)
        else {
            guard hookList == nil else {
                throw InputError(
                    "\(DisplayText.escaped(path)) cannot be read", hint: "check the path and its permissions")
            }
            return nil
        }
        return HookKnowledge(try HookList(parsing: text, path: path))
    }

    /// What git's pre-receive hook gets: lines of OLD NEW REF.
    private static func readUpdates() -> [Scanner.RefUpdate] {
        var updates: [Scanner.RefUpdate] = []
        while let line = readLine() {
            let words = line.split(separator: " ", maxSplits: 2)
            if words.count == 3 { updates.append(Scanner.RefUpdate(new: String(words[1]), name: String(words[2]))) }
        }
        return updates
    }

    private func runHook(_ knowledge: HookKnowledge, _ updates: [Scanner.RefUpdate]) throws {
        // Git tells its hooks which repository they are of; a path that is given comes first.
        let environment = paths.isEmpty ? GitEnvironment(ProcessEnvironment.current) : GitEnvironment()
        let folder = FilePath(ScanTarget(path: paths.first ?? ".").path)
        var output = knowledge.output(asJSON: common.json, asSarif: sarif)
        let place =
            if staged {
                try scanStaged(folder, environment, knowledge, into: &output)
            } else {
                try scanPush(updates, to: folder, environment, knowledge, into: &output)
            }
        try knowledge.check()
        try output.showHook(in: place)
        if let log = output.sarif { Terminal.print(log.text) }
        try refuse(output, knowledge)
    }

    /// - Throws: `ExitCode(1)` where whole secrets were shown.
    private func refuse(_ output: ScanOutput, _ knowledge: HookKnowledge) throws {
        guard output.whole > 0 || output.withoutKey > 0 else { return }
        let what = staged ? "the commit" : "the push"
        if output.whole > 0 {
            Terminal.say("keyvigil: \(what) holds \(output.whole) secret(s) of known keys, or what looks like them")
        }
        if output.withoutKey > 0 {
            let whose =
                knowledge.isExported
                ? "that are not in the list of the store's secrets: of no key, or newer than the list"
                : "that belong to no key"
            Terminal.say("keyvigil: \(what) holds \(output.withoutKey) secret(s) of known forms \(whose)")
        }
        Terminal.say(
            staged
                ? "hint: take them out and stage again; a secret belongs in a credential store, not in a repository"
                : "hint: take them out of every commit of the push; a secret that was pushed elsewhere must be rotated")
        if output.withoutKey > 0 {
            Terminal.say(
                "hint: for a repository of examples an administrator writes unregistered = false in a [[scan.place]]"
                    + (staged ? "; git commit --no-verify accepts one commit" : ""))
        }
        throw ExitCode(1)
    }

    /// - Returns: the repository's path, as it is shown.
    private func scanStaged(
        _ folder: FilePath, _ environment: GitEnvironment, _ knowledge: HookKnowledge, into output: inout ScanOutput
    ) throws -> String {
        let terms = try knowledge.terms(in: folder)
        let mask = NameMask(terms, knowledge.recognizer)
        do throws(LeakScanError) {
            let found = try Scanner.scanStaged(folder, environment, terms: terms, recognizer: knowledge.recognizer)
            for occurrence in found.occurrences {
                knowledge.show(occurrence, in: found.repository, mask, by: &output)
            }
            return mask.text(found.repository)
        } catch { throw InputError(mask.text(error.message), hint: mask.text(error.remedy), origin: error.origin) }
    }

    private func scanPush(
        _ updates: [Scanner.RefUpdate], to folder: FilePath, _ environment: GitEnvironment, _ knowledge: HookKnowledge,
        into output: inout ScanOutput
    ) throws -> String {
        guard !updates.isEmpty || environment.quarantine != nil else {
            throw InputError(
                "no ref was given on standard input", hint: "--pre-receive is for git's pre-receive hook")
        }
        var options = ScanOptions()
        options.threads = knowledge.threads
        options.scratch = ScratchSpace(environment: ProcessEnvironment.current)
        options.full = true
        // Listed before the prefixes are loaded, as ever.
        let push = Result { () throws(LeakScanError) in
            try Scanner.listPush(to: folder, environment, updates, options: options)
        }
        let terms = try knowledge.terms(in: (try? push.get().repository) ?? folder)
        let mask = NameMask(terms, knowledge.recognizer)
        do {
            let push = try push.get()
            let summary = try Scanner.scan(push, terms: terms, recognizer: knowledge.recognizer, options: options) {
                for occurrence in $0 { knowledge.show(occurrence, in: push.repository, mask, by: &output) }
            }
            guard summary.isComplete else {
                let first = summary.problems.first { !$0.isNotice }.map { mask.text("\($0.subject): \($0.detail)") }
                throw InputError(
                    "the push could not be searched whole: \(DisplayText.escaped(first ?? "see above", limit: 400))",
                    hint: "check what is pushed with git fsck")
            }
            return mask.text(push.repository)
        } catch let error as LeakScanError {
            throw InputError(mask.text(error.message), hint: mask.text(error.remedy), origin: error.origin)
        }
    }
}
