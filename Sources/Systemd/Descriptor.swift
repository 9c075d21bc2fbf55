import CLinux
internal import Glibc

/// A file descriptor with one owner: closed exactly once, when its owner goes.
struct Descriptor: ~Copyable, Sendable {
    let number: Int32

    /// Takes over the result of a system call that makes a descriptor.
    ///
    /// - Parameter action: What the call was for, as it reads after "cannot".
    init(_ number: Int32, for action: @autoclosure () -> String) throws(SystemdError) {
        guard number >= 0 else { throw .cannot(action(), errno) }
        self.number = number
    }

    deinit { close(number) }

    /// Gives the number to somebody else, who closes it.
    consuming func release() -> Int32 {
        let released = number
        discard self
        return released
    }
}
