internal import Glibc
internal import Keys
internal import Synchronization
internal import SystemPackage

/// What a verb prints, where it runs for someone else than the owner of this process's streams.
final class OutputSink: Sendable {
    private struct State {
        var size = 0
        var errors: [UInt8] = []
        var failure: (any Error)?
    }

    private let file: FileDescriptor
    private let state = Mutex(State())

    /// More is an error.
    static let longestOutput = 256 << 20
    static let longestErrors = 8 << 10

    /// The sink of the verb that runs on this thread; nil: the process's own streams.
    @TaskLocal static var current: OutputSink?

    /// - Parameter file: gets what goes to standard output.
    init(file: FileDescriptor) {
        self.file = file
    }

    /// The bytes that went to standard output, and the words that went to standard error.
    ///
    /// - Throws: what kept the output from being written whole.
    func finish() throws -> (size: Int, errors: String) {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            return (state.size, String(decoding: state.errors, as: UTF8.self))
        }
    }

    func write(_ text: String, isError: Bool) {
        state.withLock { state in
            guard !isError else {
                state.errors += text.utf8.prefix(Self.longestErrors - state.errors.count)
                return
            }
            guard state.failure == nil else { return }
            let bytes = Array(text.utf8)
            do {
                guard state.size + bytes.count <= Self.longestOutput else {
                    throw InputError(
                        "the output is longer than \(Self.longestOutput >> 20) MiB",
                        hint: "narrow it with options, or run the verb as root")
                }
                try file.writeAll(bytes)
                state.size += bytes.count
            } catch { state.failure = error }
        }
    }
}
