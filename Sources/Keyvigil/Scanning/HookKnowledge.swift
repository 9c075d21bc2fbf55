internal import KeyStore
internal import Keys
internal import LeakScan
internal import SystemPackage

/// What a hook knows of the keys: all that the store knows, where it may be read; else what the daemon answers, or what an
/// administrator has exported for hooks.
struct HookKnowledge {
    enum Source {
        case store(Workspace, StoreRecognizer)
        case list(HookList)
    }

    let source: Source

    init(_ workspace: Workspace) { source = .store(workspace, StoreRecognizer(workspace.store)) }

    init(_ list: HookList) { source = .list(list) }

    var threads: Int {
        switch source {
        case .store(let workspace, _): workspace.configuration.scan.threads
        case .list: ScanOptions().threads
        }
    }

    var recognizer: any SecretRecognizer {
        switch source {
        case .store(_, let recognizer): recognizer
        case .list(let list): list
        }
    }

    func terms() throws -> SearchTerms {
        switch source {
        case .store(let workspace, _):
            try SearchTerms.all(
                in: workspace.store, shortest: workspace.configuration.hygiene.shortestPrefix, threads: threads
            ).terms
        case .list(let list): try list.terms()
        }
    }

    func sighting(_ occurrence: Occurrence, in repository: FilePath, _ mask: NameMask) -> Sighting {
        switch source {
        case .store(_, let recognizer): recognizer.sighting(occurrence, in: repository, mask)
        case .list: Sighting(occurrence, in: repository, mask)
        }
    }

    /// Throws what went wrong in a look-up.
    func check() throws {
        switch source {
        case .store(_, let recognizer): try recognizer.check()
        case .list(let list): try list.check()
        }
    }
}
