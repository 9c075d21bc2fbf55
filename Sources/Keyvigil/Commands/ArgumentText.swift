internal import Errors
internal import KeyStore
internal import Keys
internal import LeakScan
internal import Systemd

/// What a person writes on the command line, which may hold a secret: one that was pasted where a name is meant.
enum ArgumentText {
    /// An error as it may be shown: it may quote any of the words, in part or as a whole.
    static func shown(_ error: any Error, _ words: [String]) -> any Error {
        guard let store = store(words) else { return error }
        return shown(error, words.filter { !store.paths.contains($0) }) {
            ConfigurationText(ofStoreIn: store.loaded, environment: ProcessEnvironment.current)
        }
    }

    /// The same where the words came to a store that is open.
    static func shown(_ error: any Error, _ words: [String], in workspace: Workspace) -> any Error {
        shown(error, words) { ConfigurationText(workspace.store, workspace.configuration) }
    }

    private static func shown(_ error: any Error, _ words: [String], by secrets: () -> ConfigurationText) -> any Error {
        let doubtful = words.filter { UncheckedText.isDoubtful($0) }
        guard let explained = error as? any ExplainedError, !doubtful.isEmpty else { return error }
        let text = secrets()
        guard text.isChecked else {
            // Paths are what such an error is about.
            let hidden = doubtful.filter { !$0.contains("/") }
            func shown(_ text: String) -> String {
                hidden.reduce(text) { $0.replacing($1, with: UncheckedText.shown($1)) }
            }
            return InputError(shown(explained.message), hint: explained.hint.map(shown))
        }
        // A visible prefix is shown with an ellipsis.
        let whole = doubtful.map(DisplayText.withoutEllipsis)
        guard let word = whole.first(where: { !text.shown($0).isExactly($0) }) else { return error }
        return InputError(
            "the argument \(DisplayText.quoted(text.shown(word))) holds a secret, which every user can see in the list of processes",
            hint:
                "give the id, the name or the visible prefix of the key; to end the secret: keyvigil rotate, keyvigil revoke"
        )
    }

    /// The configuration of the store that the words are about, as far as they can be read, and the paths that they give for it.
    private static func store(_ words: [String]) -> (loaded: LoadedConfiguration, paths: [String])? {
        func value(of option: String, else variable: String) -> String? {
            if let at = words.firstIndex(of: option), at + 1 < words.count { return words[at + 1] }
            if let word = words.first(where: { $0.hasPrefix("\(option)=") }) {
                return String(word.dropFirst(option.count + 1))
            }
            return ProcessEnvironment.current[variable].flatMap { $0.isEmpty ? nil : $0 }
        }
        let path = value(of: "--config", else: "KEYVIGIL_CONFIG")
        let store = value(of: "--store", else: "KEYVIGIL_STORE")
        return LoadedConfiguration.ofSecrets(path ?? LoadedConfiguration.standardPath, store: store).map {
            ($0, [path, store].compactMap(\.self))
        }
    }
}

extension Workspace {
    /// Refuses words that are recorded, such as the name of a key, if they hold a secret.
    ///
    /// - Parameter texts: each with what it is.
    func refuseSecrets(in texts: [(what: String, text: String?)]) throws {
        let recorded = RecordedTexts(self)
        for (what, text) in texts { try text.map { try recorded.refuseSecret(in: $0, what) } }
    }
}
