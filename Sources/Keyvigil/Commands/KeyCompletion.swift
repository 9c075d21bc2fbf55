internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import Systemd

/// What a shell completes where a key is meant: the names of the keys, if this user may read the store; and where a host of a fleet is.
enum KeyCompletion {
    static var kind: CompletionKind {
        .custom { words, _, start in names(startingWith: start, words) }
    }

    static var hosts: CompletionKind {
        .custom { words, _, start in
            ((try? store(words)?.hostNames()) ?? []).filter { $0.hasPrefix(start) }
        }
    }

    /// The store that the words on the command line, which may name a configuration or a store, are about.
    private static func store(_ words: [String]) -> Store? {
        func value(of option: String, else variable: String) -> String? {
            words.firstIndex(of: option).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
                ?? ProcessEnvironment.current[variable]
        }
        // Without a store, or the right to read it, there is nothing to complete, and a shell has no place for an error.
        guard
            let loaded = try? Workspace.load(
                configurationPath: value(of: "--config", else: "KEYVIGIL_CONFIG"),
                storePath: value(of: "--store", else: "KEYVIGIL_STORE")),
            let workspace = try? Workspace.open(
                loaded, create: false, environment: ProcessEnvironment.current, now: Workspace.now)
        else { return nil }
        return workspace.store
    }

    private static func names(startingWith start: String, _ words: [String]) -> [String] {
        var names: [String] = []
        try? store(words)?.forEachKey(at: Workspace.now) { key in
            let word = isWord(key.name) ? key.name : key.id.text
            if word.hasPrefix(start), names.count < most { names.append(word) }
        }
        return names
    }

    /// Whether a name means itself in every shell. bash expands each completion once more (bash(1), compgen -W), commands in it
    /// included, and zsh takes what follows a colon for a description.
    private static func isWord(_ name: String) -> Bool {
        !name.hasPrefix("-")
            && name.unicodeScalars.allSatisfy {
                $0.properties.isAlphabetic || $0.properties.numericType != nil || "._@+-".unicodeScalars.contains($0)
            }
    }

    /// More than a person reads.
    private static let most = 1000
}
