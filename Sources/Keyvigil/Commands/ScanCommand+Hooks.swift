internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import LeakScan
internal import SystemPackage
internal import Systemd

/// What `scan` does in a hook: it searches what is new, refuses what holds a whole secret, and remembers nothing, since
/// what is refused is nowhere yet.
extension ScanCommand {
    /// - Throws: `ExitCode(1)` for a whole secret. A prefix alone is shown and accepted: it is public.
    func runHook(_ knowledge: HookKnowledge) throws {
        // Git tells its hooks which repository they are of; a path that is given comes first.
        let environment = paths.isEmpty ? GitEnvironment(ProcessEnvironment.current) : GitEnvironment()
        let folder = FilePath(ScanTarget(path: paths.first ?? ".").path)
        var output = knowledge.output(asJSON: common.json, asSarif: sarif)
        let place =
            if staged {
                try scanStaged(folder, environment, knowledge, &output)
            } else {
                try scanPush(to: folder, environment, knowledge, &output)
            }
        try knowledge.check()
        try output.showSeen(in: place)
        if let log = output.sarif { Terminal.print(log.text) }
        guard output.whole > 0 else { return }
        Terminal.say(
            "keyvigil: \(staged ? "the commit" : "the push") holds \(output.whole) secret(s) of known keys, or what looks like them"
        )
        Terminal.say(
            staged
                ? "hint: take them out and stage again; a secret belongs in a credential store, not in a repository"
                : "hint: take them out of every commit of the push; a secret that was pushed elsewhere must be rotated")
        throw ExitCode(1)
    }

    /// - Returns: the repository's path, as it is shown.
    private func scanStaged(
        _ folder: FilePath, _ environment: GitEnvironment, _ knowledge: HookKnowledge, _ output: inout ScanOutput
    ) throws -> String {
        let terms = try knowledge.terms()
        let mask = NameMask(terms, knowledge.recognizer)
        do throws(LeakScanError) {
            let found = try Scanner.scanStaged(folder, environment, terms: terms, recognizer: knowledge.recognizer)
            for occurrence in found.occurrences {
                output.saw(knowledge.sighting(occurrence, in: found.repository, mask))
            }
            return mask.text(found.repository)
        } catch { throw InputError(mask.text(error.message), hint: mask.text(error.hint)) }
    }

    private func scanPush(
        to folder: FilePath, _ environment: GitEnvironment, _ knowledge: HookKnowledge, _ output: inout ScanOutput
    ) throws -> String {
        // OLD NEW REF
        var updates: [Scanner.RefUpdate] = []
        while let line = readLine() {
            let words = line.split(separator: " ", maxSplits: 2)
            if words.count == 3 { updates.append(Scanner.RefUpdate(new: String(words[1]), name: String(words[2]))) }
        }
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
        let terms = try knowledge.terms()
        let mask = NameMask(terms, knowledge.recognizer)
        do {
            let push = try push.get()
            let summary = try Scanner.scan(push, terms: terms, recognizer: knowledge.recognizer, options: options) {
                for occurrence in $0 { output.saw(knowledge.sighting(occurrence, in: push.repository, mask)) }
            }
            guard summary.isComplete else {
                let first = summary.problems.first { !$0.isNotice }.map { mask.text("\($0.subject): \($0.detail)") }
                throw InputError(
                    "the push could not be searched whole: \(DisplayText.escaped(first ?? "see above", limit: 400))",
                    hint: "check what is pushed with git fsck")
            }
            return mask.text(push.repository)
        } catch let error as LeakScanError {
            throw InputError(mask.text(error.message), hint: mask.text(error.hint))
        }
    }
}
