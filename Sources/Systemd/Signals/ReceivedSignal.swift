import CLinux

/// A signal and who sent it.
package struct ReceivedSignal: Hashable, Sendable {
    /// The signal's number.
    package let number: Int32
    /// The sender's process id as this process sees it; 0 when it comes from the kernel or another namespace.
    package let senderProcess: Int32
    /// The sender's real user id.
    package let senderUser: UInt32

    /// The signal's usual name, such as `SIGHUP`.
    package var name: String {
        // The function is thread safe and returns a constant of the C library, or NULL for an unknown number.
        guard let short = unsafe keyvigil_signal_name(number) else { return "signal \(number)" }
        return unsafe "SIG" + String(cString: short)
    }
}
