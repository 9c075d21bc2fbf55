import CLinux
internal import Glibc

/// A file descriptor with one owner. It is closed exactly once, when the owner ends.
package struct Descriptor: ~Copyable, Sendable {
    package let number: Int32

    /// Takes ownership of the result of a system call that returns a descriptor.
    ///
    /// - Parameter action: The purpose of the call, as it reads after "cannot".
    package init(_ number: Int32, for action: @autoclosure () -> String) throws(SystemdError) {
        guard number >= 0 else { throw .cannot(action(), errno) }
        self.number = number
    }

    deinit { close(number) }

    /// Releases the descriptor to the caller, who has to close it.
    package consuming func release() -> Int32 {
        let released = number
        discard self
        return released
    }
}
