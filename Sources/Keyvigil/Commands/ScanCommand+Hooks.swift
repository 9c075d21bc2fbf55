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
    func runHook(in workspace: Workspace) throws {
        let environment = ProcessEnvironment.current
        let path = paths.first ?? (staged ? nil : environment["GIT_DIR"]) ?? "."
        var here = FilePath(ScanTarget(path: path).path)
        var output = ScanOutput(store: workspace.store, asJSON: common.json, asSarif: sarif)
        let recognizer = StoreRecognizer(workspace.store)
        if staged {
            let index = environment["GIT_INDEX_FILE"].map { FilePath($0) }
            for occurrence in try Scanner.scanStaged(
                here, index: index, terms: try terms(of: workspace), recognizer: recognizer)
            {
                output.saw(recognizer.sighting(occurrence))
                // The working tree's root, wherever in it this runs.
                here = occurrence.repository
            }
        } else {
            try scanPush(to: here, workspace, environment, recognizer, &output)
        }
        try recognizer.check()
        try output.showSeen(in: here.string)
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

    private func terms(of workspace: Workspace) throws -> SearchTerms {
        let shortest = workspace.configuration.hygiene.shortestPrefix
        return try SearchTerms.all(
            in: workspace.store, shortest: shortest, threads: workspace.configuration.scan.threads
        ).terms
    }

    private func scanPush(
        to repository: FilePath, _ workspace: Workspace, _ environment: [String: String],
        _ recognizer: StoreRecognizer, _ output: inout ScanOutput
    ) throws {
        guard let quarantine = environment["GIT_QUARANTINE_PATH"] else {
            throw InputError(
                "there is no GIT_QUARANTINE_PATH",
                hint: "--pre-receive is for git's pre-receive hook, with git 2.11 or later")
        }
        // OLD NEW REF
        var tips: [String] = []
        while let line = readLine() {
            let words = line.split(separator: " ", maxSplits: 2)
            if words.count == 3 { tips.append(String(words[1])) }
        }
        var options = ScanOptions()
        options.threads = workspace.configuration.scan.threads
        options.scratch = ScratchSpace(environment: environment)
        options.full = true
        // Listed before the prefixes are loaded, as ever.
        let listing = try Scanner.listPush(
            to: repository, quarantine: FilePath(quarantine), tips: tips, options: options)
        let terms = try terms(of: workspace)
        let summary = try Scanner.scan(listing, terms: terms, recognizer: recognizer, options: options) { batch in
            for occurrence in batch.occurrences { output.saw(recognizer.sighting(occurrence)) }
        }
        guard summary.isComplete else {
            let first = summary.problems.first { !$0.isNotice }.map { "\($0.subject): \($0.detail)" }
            throw InputError(
                "the push could not be searched whole: \(DisplayText.escaped(first ?? "see above", limit: 400))",
                hint: "check what is pushed with git fsck")
        }
    }
}
