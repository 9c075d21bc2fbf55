internal import CLinux
internal import Errors
internal import Glibc
internal import Keys
internal import Synchronization
internal import SystemPackage
internal import Systemd

/// Standard output and standard error, as a person or a script reads them.
enum Terminal {
    /// Writes a line to standard output.
    static func print(_ text: String) { write(harmless(text, for: .standardOutput) + "\n", to: .standardOutput) }

    /// Writes a line to standard error: what is for the person, not for the pipe.
    static func say(_ text: String) { write(harmless(text, for: .standardError) + "\n", to: .standardError) }

    /// Says on standard error what a person may like to know, but for `--quiet`.
    static func note(_ text: String) { if !OutputSettings.current.isQuiet { say(text) } }

    /// Says on standard output what was done, but for `--quiet`.
    static func report(_ text: String) { if !OutputSettings.current.isQuiet { print(text) } }

    /// Asks on standard error, without a line break.
    static func ask(_ text: String) { write(harmless(text, for: .standardError), to: .standardError) }

    /// Writes data to standard output as it is, and without what a terminal obeys if one reads it.
    static func emit(_ data: String) {
        write(OutputSettings.current.isTerminal ? harmless(data, for: .standardOutput) : data, to: .standardOutput)
    }

    /// Draws one line over the line that was drawn before, on standard error.
    static func draw(_ text: String) {
        write(
            "\r\u{1B}[K" + harmless(text.split(separator: "\n").joined(separator: " "), for: .standardError),
            to: .standardError)
    }

    /// The text without what a terminal obeys, but for line breaks and, where there are any, the program's own colours. Names from outside are quoted
    /// where they are put into words (``Wording``); this is for the one that was forgotten.
    static func harmless(_ text: String, for file: FileDescriptor) -> String {
        if text.utf8.allSatisfy({ (0x20...0x7e).contains($0) || $0 == UInt8(ascii: "\n") }) { return text }
        let colours = Style(for: file).isColoured ? Style.codes : []
        var result = ""
        var rest = text.unicodeScalars[...]
        while let scalar = rest.first {
            if let colour = colours.first(where: { rest.starts(with: $0.unicodeScalars) }) {
                result += colour
                rest = rest.dropFirst(colour.unicodeScalars.count)
                continue
            }
            if scalar == "\n" || !DisplayText.isHazardous(scalar) {
                result.unicodeScalars.append(scalar)
            } else {
                result += DisplayText.escaped(String(scalar))
            }
            rest = rest.dropFirst()
        }
        return result
    }

    /// Tells of an error and what to do about it.
    static func complain(_ error: any Error, program: String = "keyvigil") {
        let style = Style(for: .standardError)
        if let explained = error as? any ExplainedError {
            say("\(program): \(style.red("error:")) \(explained.message)")
            if let hint = explained.hint { say("\(style.bold("hint:")) \(hint)") }
            if let origin = explained.origin { say("at: \(origin)") }
        } else {
            say("\(program): \(style.red("error:")) \(error)")
        }
    }

    /// The first error of a write to standard output, but for a pipe that its reader has closed: then no one reads any
    /// more, and there is nothing left to do with the text.
    static var outputError: Errno? { lostOutput.withLock { $0 } }

    private static let lostOutput = Mutex<Errno?>(nil)

    private static func write(_ text: String, to file: FileDescriptor) {
        if let sink = OutputSink.current { return sink.write(text, isError: file == .standardError) }
        do { try file.writeAll(Array(text.utf8)) } catch {
            guard file == .standardOutput, let errno = error as? Errno, errno != .brokenPipe else { return }
            lostOutput.withLock { $0 = $0 ?? errno }
        }
    }
}

/// Colours, where a person looks on (no-color.org).
struct Style: Sendable {
    let isColoured: Bool

    init(for file: FileDescriptor, environment: [String: String] = ProcessEnvironment.current) {
        let settings = OutputSettings.current
        switch settings.colour {
        case .always: isColoured = true
        case .never: isColoured = false
        case .auto:
            let isRead = file == .standardOutput ? settings.isTerminal : isatty(file.rawValue) == 1
            isColoured = isRead && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        }
    }

    /// What the styles begin and end with.
    static let codes = [0, 1, 2, 31, 32, 33].map { "\u{1B}[\($0)m" }

    func red(_ text: String) -> String { wrapped(text, "31") }
    func yellow(_ text: String) -> String { wrapped(text, "33") }
    func green(_ text: String) -> String { wrapped(text, "32") }
    func dim(_ text: String) -> String { wrapped(text, "2") }
    func bold(_ text: String) -> String { wrapped(text, "1") }

    private func wrapped(_ text: String, _ code: String) -> String {
        isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
