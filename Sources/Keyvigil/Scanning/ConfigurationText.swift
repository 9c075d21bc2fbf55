internal import Errors
internal import KeyStore
internal import Keys
internal import LeakScan
internal import Systemd

/// Shows what a configuration says (paths, patterns, names) without the secrets of its store.
struct ConfigurationText {
    /// What is known of the secrets that it could quote.
    private enum Secrets {
        /// There is no store.
        case none
        case known(NameMask)
        /// There is a store, and it cannot be read.
        case unknown
    }

    private let secrets: Secrets
    /// Where the configuration is: whoever reads an error knows that path, and has to find the file by it.
    private let folder: String?

    private init(_ secrets: Secrets, folder: String? = nil) {
        self.secrets = secrets
        self.folder = folder
    }

    private static func folder(of path: String) -> String? {
        let folder = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) }
        return folder?.isEmpty ?? true ? nil : folder
    }

    /// - Parameter store: the store that is in use.
    init(_ store: Store, _ configuration: Configuration) {
        let mask = try? PlaceMask.make(
            store, shortest: configuration.hygiene.shortestPrefix, threads: configuration.scan.threads)
        self.init(mask.map { .known($0) } ?? .unknown)
    }

    /// Reads the store of a configuration, and changes nothing in it.
    init(ofStoreIn loaded: LoadedConfiguration, environment: [String: String]) {
        if (try? Store.isNew(loaded.configuration.store.path)) == true {
            self.init(.none)
        } else if let store = try? Workspace.readStore(loaded, environment: environment, now: Workspace.now) {
            self.init(store, loaded.configuration)
        } else {
            self.init(.unknown)
        }
    }

    /// Runs `body`, which reads a configuration; what its error quotes is shown by this.
    ///
    /// - Parameters:
    ///   - path: of the configuration.
    ///   - store: overrides the configuration's.
    static func reading<Value>(
        _ path: String, store: String? = nil, environment: [String: String], _ body: () throws -> Value
    ) throws -> Value {
        do { return try body() } catch let error as InputError {
            let loaded = LoadedConfiguration.ofSecrets(path, store: store)
            let secrets = loaded.map { Self(ofStoreIn: $0, environment: environment).secrets } ?? .unknown
            throw Self(secrets, folder: folder(of: path)).shown(error)
        }
    }

    /// Whether it is known which secrets there are.
    var isChecked: Bool {
        if case .unknown = secrets { false } else { true }
    }

    func shown(_ text: String) -> String {
        switch secrets {
        case .none: Self.withoutCutWords(text)
        case .known(let mask): mask.text(Self.withoutCutWords(text))
        case .unknown:
            if let folder {
                text.split(separator: folder, omittingEmptySubsequences: false).map { UncheckedText.shown(String($0)) }
                    .joined(separator: folder)
            } else {
                UncheckedText.shown(text)
            }
        }
    }

    /// Hides words that are followed by an ellipsis, if they may be secrets: of a part of a secret it is not known that it is one.
    private static func withoutCutWords(_ text: String) -> String {
        var parts = text.split(separator: "…", omittingEmptySubsequences: false).map(String.init)
        for index in parts.indices.dropLast() {
            let quote = parts[index].hasSuffix("'") ? "'" : ""
            let head = parts[index].dropLast(quote.count)
            let start = head.lastIndex { $0.isWhitespace || $0 == "'" }.map(head.index(after:)) ?? head.startIndex
            if UncheckedText.isDoubtful(String(head[start...])) {
                parts[index] = head[..<start] + UncheckedText.mark + quote
            }
        }
        return parts.joined(separator: "…")
    }

    func shown(_ error: any ExplainedError) -> InputError {
        let message = shown(error.message)
        let isHidden =
            !isChecked && message.contains(UncheckedText.mark) && !error.message.contains(UncheckedText.mark)
        return InputError(
            message + (isHidden ? "; what may be a secret is not shown, because the store cannot be read" : ""),
            hint: error.hint.map { shown($0) }, origin: error.origin)
    }
}
