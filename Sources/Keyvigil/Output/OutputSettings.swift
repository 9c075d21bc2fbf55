internal import Glibc
internal import Keys
internal import Synchronization
internal import SystemPackage
internal import Systemd

/// How this process shows what it prints, by the options of the command line, the environment and the terminal. Set once, before
/// anything is printed.
struct OutputSettings: Sendable {
    /// When colours are used (`--color`).
    enum Colour: String, CaseIterable, Sendable {
        case auto, always, never
    }

    var colour = Colour.auto
    /// Dates in UTC, in RFC 3339, instead of the local time.
    var isUTC = false
    /// No notes, and no word about what was done.
    var isQuiet = false
    /// Whether a person reads standard output, by way of a pager or not.
    var isTerminal: Bool
    /// The width of the terminal in columns; nil where there is none, so that nothing has to fit.
    var columns: Int?

    /// What holds where no option says otherwise.
    init(environment: [String: String] = ProcessEnvironment.current) {
        isTerminal = isatty(FileDescriptor.standardOutput.rawValue) == 1
        guard isTerminal else { return }
        columns = environment["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } ?? TerminalSize.columns ?? 80
    }

    /// Those of someone else, for whom a verb runs on this thread (``OutputSink``).
    @TaskLocal static var lent: OutputSettings?

    static var current: OutputSettings {
        get { lent ?? shared.withLock { $0 } }
        set { shared.withLock { $0 = newValue } }
    }

    private static let shared = Mutex(OutputSettings())
}
