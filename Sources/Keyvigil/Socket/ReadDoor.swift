internal import CLinux
internal import Dispatch
internal import Errors
internal import Glibc
internal import HTTP
internal import Keys
internal import Synchronization
internal import SystemPackage
internal import Systemd

/// Answers people who may not read the store: runs `list`, `status`, `alerts` or `metrics` for them, as the tool would.
///
/// The path names the verb, and the query has the words that follow it: `/list?--owner=ana&--json`. One runs at a time, away from the
/// thread that serves the socket.
final class ReadDoor: Sendable {
    /// Runs a verb.
    ///
    /// - Parameters:
    ///   - words: the verb and its options.
    ///   - caller: for whom it runs.
    /// - Returns: its exit status.
    typealias Runner =
        @Sendable (
            _ words: [String], _ workspace: Workspace, _ caller: Caller, _ sink: OutputSink
        ) -> Int32

    /// What the tool that asks says of itself.
    struct Caller: Sendable {
        /// How the output is shown, as far as the options of the verb do not say.
        var settings: OutputSettings
        /// What it sees of the machine's clock.
        var clock: ClockSynchronisation?
        /// What this service has counted.
        var verifications: VerificationCounter
    }

    static let verbs = ["list", "status", "alerts", "metrics"]

    /// What the tool says of itself and its terminal, and what the answer has beside the output.
    enum Header {
        static let columns = "X-Keyvigil-Columns"
        static let isTerminal = "X-Keyvigil-Terminal"
        static let isColoured = "X-Keyvigil-Coloured"
        static let clock = "X-Keyvigil-Clock"
        static let exitStatus = "X-Keyvigil-Exit-Status"
        static let errors = "X-Keyvigil-Errors"
    }

    private let workspace: Mutex<Workspace>
    private let verifications: VerificationCounter
    private let run: Runner
    private let queue = DispatchQueue(label: "keyvigil.read")
    private let waiting = Atomic<Int>(0)

    /// More requests do not wait for each other.
    private static let mostWaiting = 32
    private static let folder = "/tmp"

    init(_ workspace: Workspace, verifications: VerificationCounter, run: @escaping Runner) {
        self.workspace = Mutex(workspace)
        self.verifications = verifications
        self.run = run
    }

    /// Takes another configuration into use.
    func adopt(_ loaded: LoadedConfiguration) {
        workspace.withLock { $0 = Workspace(loaded: loaded, store: $0.store) }
    }

    func answer(_ http: borrowing HTTPRequest) -> HTTPReply {
        let verb = String(http.path.dropFirst())
        guard Self.verbs.contains(verb), http.path.hasPrefix("/") else {
            return .now(
                HTTPResponse(404, text: "this socket answers \(Self.verbs.map { "/\($0)" }.joined(separator: ", "))\n"))
        }
        var words = [verb]
        http.forEachArgument { name, value in words.append(value.map { "\(name)=\($0)" } ?? name) }
        var settings = OutputSettings(environment: [:])
        settings.isTerminal = false
        settings.colour = .never
        var clock: ClockSynchronisation?
        http.forEachHeader { name, value in
            let text = String(decoding: value.indices.map { value[$0] }, as: UTF8.self)
            switch name.lowercased() {
            case Header.columns.lowercased():
                settings.columns = Int(text).flatMap { (1...10_000).contains($0) ? $0 : nil }
            case Header.isTerminal.lowercased(): settings.isTerminal = text == "yes"
            case Header.isColoured.lowercased(): settings.colour = text == "yes" ? .always : .never
            case Header.clock.lowercased(): clock = ClockSynchronisation(rawValue: text)
            default: break
            }
        }
        guard waiting.add(1, ordering: .relaxed).newValue <= Self.mostWaiting else {
            waiting.subtract(1, ordering: .relaxed)
            return .now(HTTPResponse(503, text: "too many wait for an answer already\n"))
        }
        let (asked, caller) = (words, Caller(settings: settings, clock: clock, verifications: verifications))
        return .later { done in
            self.queue.async {
                self.waiting.subtract(1, ordering: .relaxed)
                done(self.response(asked, caller))
            }
        }
    }

    private static func contentType(_ words: [String]) -> String {
        // Prometheus, "Exposition formats".
        if words.first == "metrics" { return "text/plain; version=0.0.4; charset=utf-8" }
        return "\(words.contains("--json") ? "application/x-ndjson" : "text/plain"); charset=utf-8"
    }

    private func response(_ words: [String], _ caller: Caller) -> HTTPResponse {
        let number = unsafe keyvigil_open_nameless(Self.folder)
        guard number >= 0 else {
            return HTTPResponse(503, text: "no file can be made in \(Self.folder): \(Errno(rawValue: errno))\n")
        }
        let sink = OutputSink(file: FileDescriptor(rawValue: number))
        let workspace = self.workspace.withLock { $0 }
        let status = run(words, workspace, caller, sink)
        do {
            let (size, errors) = try sink.finish()
            guard size > 0 || status != 2 else {
                close(number)
                return HTTPResponse(400, text: errors)
            }
            return HTTPResponse(
                200,
                headers: [
                    ("Content-Type", Self.contentType(words)),
                    ("Cache-Control", "no-store"), (Header.exitStatus, "\(status)"),
                    (Header.errors, HTTPHeaderText.encoded(errors)),
                ], body: .file(descriptor: number, size: size))
        } catch {
            close(number)
            let known = error as? any ExplainedError
            return HTTPResponse(
                503, text: "\(known?.message ?? "\(error)")\(known?.hint.map { "; \($0)" } ?? "")\n")
        }
    }
}
