import CLinux

/// A signal and its sender.
package struct ReceivedSignal: Hashable, Sendable {
    /// The signal's number.
    package let number: Int32
    /// The process id of the sender in the namespace of this process; 0 if it is the kernel or in another namespace.
    package let senderProcess: Int32
    /// The real user id of the sender.
    package let senderUser: UInt32

    /// The name of the signal, such as `SIGHUP`.
    package var name: String {
        // The function is thread safe and returns a constant of the C library, or NULL for an unknown number.
        guard let short = unsafe keyvigil_signal_name(number) else { return "signal \(number)" }
        return unsafe "SIG" + String(cString: short)
    }
}
