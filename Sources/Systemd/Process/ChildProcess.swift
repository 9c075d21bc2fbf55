internal import CLinux
internal import Glibc
package import SystemPackage

/// Runs a program to completion, with short input and output and a time limit. Only the tool uses it; the daemon starts
/// no program.
///
/// Foundation's Process uses shared queues and keeps its input in strings. Unsafe code: the arrays of C strings that
/// posix_spawn(3) takes stay valid until it returns.
package enum ChildProcess {
    /// The result of a program that has ended.
    package struct Result: Sendable {
        /// The exit status; nil if a signal ended the program.
        package let status: Int32?
        package let output: String
        package let errors: String
        /// Whether it was killed because it exceeded its time.
        package let isOverdue: Bool
    }

    /// The maximum number of bytes that are kept of standard output and of standard error.
    package static let longestOutput = 64 << 10

    /// Runs a program.
    ///
    /// - Parameters:
    ///   - program: its absolute path.
    ///   - arguments: without the program's name.
    ///   - environment: its complete environment.
    ///   - input: its standard input: at most 32 KiB, which fits into a pipe.
    ///   - milliseconds: the time after which it is killed.
    /// - Throws: `Errno` if it could not be started.
    package static func run(
        _ program: String, _ arguments: [String], environment: [String: String], input: borrowing Span<UInt8>,
        milliseconds: Int
    ) throws -> Result {
        precondition(input.count <= 32 << 10, "the input would not fit into a pipe")
        // A program that ends early closes the read end of the pipe.
        let before = signal(SIGPIPE, SIG_IGN)
        defer { _ = signal(SIGPIPE, before) }
        let (inRead, inWrite) = try FileDescriptor.pipe()
        let (outRead, outWrite) = try FileDescriptor.pipe()
        let (errRead, errWrite) = try FileDescriptor.pipe()
        for end in [inWrite, outRead, errRead] { _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC) }
        let pid = Swift.Result {
            try spawn(
                program, arguments, environment, input: inRead, output: outWrite, errors: errWrite)
        }
        for end in [inRead, outWrite, errWrite] { try end.close() }
        defer {
            try? outRead.close()
            try? errRead.close()
        }
        guard case .success(let child) = pid else {
            try inWrite.close()
            return try pid.map { _ in Result(status: nil, output: "", errors: "", isOverdue: false) }.get()
        }
        write(input, to: inWrite)
        try inWrite.close()
        let end = now() + Int64(milliseconds)
        var texts: [[UInt8]] = [[], []]
        let isOverdue = !drain([outRead, errRead], into: &texts, until: end)
        if isOverdue { kill(child, SIGKILL) }
        var status: Int32 = 0
        while unsafe waitpid(child, &status, 0) == -1, errno == EINTR {}
        return Result(
            status: status & 0x7f == 0 ? status >> 8 & 0xff : nil, output: String(decoding: texts[0], as: UTF8.self),
            errors: String(decoding: texts[1], as: UTF8.self), isOverdue: isOverdue)
    }

    /// Starts a program that reads `input`, and writes where this process writes.
    ///
    /// - Returns: its number, to wait for.
    /// - Throws: `Errno` if it could not be started.
    package static func start(
        _ program: String, _ arguments: [String], environment: [String: String], input: FileDescriptor
    ) throws -> Int32 {
        try spawn(
            program, arguments, environment, input: input, output: .standardOutput, errors: .standardError)
    }

    /// Waits for the end of a program that was started.
    package static func wait(for child: Int32) {
        while waitpid(child, nil, 0) == -1, errno == EINTR {}
    }

    private static func spawn(
        _ program: String, _ arguments: [String], _ environment: [String: String], input: FileDescriptor,
        output: FileDescriptor, errors: FileDescriptor
    ) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (from, to) in [(input, Int32(0)), (output, 1), (errors, 2)] {
            unsafe posix_spawn_file_actions_adddup2(&actions, from.rawValue, to)
        }
        // The program must not inherit open files, such as the store.
        unsafe keyvigil_close_from(&actions, 3)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        var pid: pid_t = 0
        let failure = unsafe withCStrings([program] + arguments) { arguments in
            unsafe withCStrings(environment.map { "\($0.key)=\($0.value)" }.sorted()) { environment in
                unsafe posix_spawn(&pid, program, &actions, &attributes, arguments, environment)
            }
        }
        guard failure == 0 else { throw Errno(rawValue: failure) }
        return pid
    }

    private static func withCStrings<Value>(
        _ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Value
    ) -> Value {
        var pointers = unsafe texts.map { unsafe strdup($0) } + [nil]
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe pointers.withUnsafeMutableBufferPointer { buffer in
            // The array is never empty: it ends with nil.
            guard let start = buffer.baseAddress else { preconditionFailure("an array without its end") }
            return unsafe body(start)
        }
    }

    private static func write(_ input: borrowing Span<UInt8>, to file: FileDescriptor) {
        var written = 0
        while written < input.count {
            let part = input.extracting(written..<input.count)
            // If the program has ended, its status says why.
            guard let count = try? unsafe part.withUnsafeBytes({ try unsafe file.write($0) }), count > 0 else { return }
            written += count
        }
    }

    /// Reads all files to the end.
    ///
    /// - Returns: false if the time ran out first.
    private static func drain(_ files: [FileDescriptor], into texts: inout [[UInt8]], until end: Int64) -> Bool {
        var open = Set(files.indices)
        while !open.isEmpty {
            let left = end - now()
            guard left > 0 else { return false }
            var polled = open.sorted().map { pollfd(fd: files[$0].rawValue, events: Int16(POLLIN), revents: 0) }
            let ready = unsafe poll(&polled, nfds_t(polled.count), Int32(clamping: left))
            if ready == -1, errno != EINTR { return false }
            guard ready > 0 else { continue }
            for (index, entry) in zip(open.sorted(), polled) where entry.revents != 0 {
                var buffer = [UInt8](repeating: 0, count: 4096)
                let count = (try? unsafe buffer.withUnsafeMutableBytes { try unsafe files[index].read(into: $0) }) ?? 0
                if count == 0 { open.remove(index) }
                texts[index] += buffer.prefix(min(count, longestOutput - texts[index].count))
            }
        }
        return true
    }

    /// CLOCK_MONOTONIC in milliseconds.
    private static func now() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
