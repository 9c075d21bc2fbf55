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

    init(_ workspace: Workspace) {
        let forms = UnregisteredForms(workspace.store.issuers)
        source = .store(workspace, StoreRecognizer(workspace.store, forms: forms))
    }

    init(_ list: HookList) { source = .list(list) }

    var threads: Int {
        switch source {
        case .store(let workspace, _): workspace.configuration.scan.threads
        case .list: ScanOptions().threads
        }
    }

    /// Whether secrets are recognised by an exported list, which does not know keys that were made or rotated after it.
    var isExported: Bool {
        switch source {
        case .store: false
        case .list(let list): list.isExported
        }
    }

    var recognizer: any SecretRecognizer {
        switch source {
        case .store(_, let recognizer): recognizer
        case .list(let list): list
        }
    }

    /// What is searched for in a repository.
    func terms(in repository: FilePath) throws -> SearchTerms {
        switch source {
        case .store(let workspace, _):
            let isSearched = workspace.configuration.hookScan.isUnregisteredSearched(
                in: ScanTarget(path: repository.string))
            return try SearchTerms.all(
                in: workspace.store, shortest: workspace.configuration.hygiene.shortestPrefix,
                shapes: isSearched ? UnregisteredForms(workspace.store.issuers).shapes : [], threads: threads
            ).terms
        case .list(let list): return try list.terms(in: repository.string)
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
