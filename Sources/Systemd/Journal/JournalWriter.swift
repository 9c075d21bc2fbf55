import CLinux
internal import Glibc

/// What became of an entry.
package enum JournalSendResult: Hashable, Sendable {
    /// The kernel holds it in journald's queue. It is not stored yet: only reading it back proves that.
    case sent
    /// journald's queue is full, because it is stopped or slow: try again later.
    case wouldBlock
    /// Nobody receives (`ENOENT`, `ECONNREFUSED`, ...), or the machine is short of something: try again later.
    case unavailable(Int32)
    /// This entry can never be sent (`EMSGSIZE`, `EPERM`, ...); trying again does not help.
    case refused(Int32)
}

/// Sends entries to journald's native socket; never waits, and never loses one without saying so.
///
/// libsystemd's `sd_journal_sendv` returns success when the socket is missing and waits without limit when
/// journald is stuck, hence a socket of our own. The address is looked up at each send, so a restarted journald
/// is found again. May be used from any thread: there is no state but the descriptor, and the kernel keeps
/// datagrams whole.
package final class JournalWriter: Sendable {
    /// Where journald listens.
    package static let defaultSocket = "/run/systemd/journal/socket"

    /// As much as journald's own library asks for, so that an entry of usual size needs no memfd.
    private static let sendBufferSize: Int32 = 8 << 20

    private let descriptor: Descriptor
    private let address: UnixAddress

    /// Makes the socket; journald need not be there yet.
    package init(socket path: String = JournalWriter.defaultSocket) throws(SystemdError) {
        guard let address = UnixAddress(path) else {
            throw .cannot("use the journal socket \(path)", ENAMETOOLONG)
        }
        self.address = address
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        descriptor = try Descriptor(socket(AF_UNIX, type, 0), for: "make a socket for the journal")
        var size = Self.sendBufferSize
        // A smaller buffer only makes the memfd path begin earlier, so a failure does not matter.
        _ = unsafe setsockopt(
            descriptor.number, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Sends one entry.
    package func send(_ entry: JournalEntry) -> JournalSendResult {
        let bytes = entry.encoded()
        guard !bytes.isEmpty else { return .refused(EINVAL) }
        let failure = sendDatagram(bytes)
        // ENOBUFS: larger than the kernel can allocate in one piece. EMSGSIZE: larger than the send buffer.
        guard failure == EMSGSIZE || failure == ENOBUFS else { return Self.result(of: failure) }
        return sendThroughMemory(bytes)
    }

    /// Sends a mark: an empty datagram, of which journald takes no note. Once it is taken (``isDrained``), whatever was sent
    /// before it has been dealt with.
    package func mark() -> JournalSendResult { Self.result(of: sendDatagram([])) }

    /// Whether journald has taken every datagram of this socket from its queue: unix(7), SIOCOUTQ. Of the last one it is not
    /// known whether it has been dealt with yet; of those before it is.
    package var isDrained: Bool {
        var waiting: Int32 = 0
        return unsafe ioctl(descriptor.number, UInt(TIOCOUTQ), &waiting) == 0 && waiting == 0
    }

    /// Sorts the kernel's answers by what the sender should do next.
    static func result(of failure: Int32) -> JournalSendResult {
        switch failure {
        case 0: .sent
        case EAGAIN: .wouldBlock
        case EMSGSIZE, EINVAL, EPERM, E2BIG, EFBIG, ENOSYS: .refused(failure)
        default: .unavailable(failure)
        }
    }

    /// Returns 0 or the error number.
    private func sendDatagram(_ bytes: [UInt8]) -> Int32 {
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe address.withSocketAddress { pointer, length in
                let count = unsafe sendto(
                    descriptor.number, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL), pointer,
                    length)
                return count < 0 ? errno : 0
            }
        }
    }

    /// Sends an entry that is too large for a datagram: as a sealed memfd, passed over the same socket.
    private func sendThroughMemory(_ bytes: [UInt8]) -> JournalSendResult {
        do {
            let memory = try SealedMemory(bytes)
            return Self.result(of: sendDescriptor(memory.descriptorNumber))
        } catch {
            return Self.result(of: error.errno)
        }
    }

    /// Returns 0 or the error number.
    private func sendDescriptor(_ passed: Int32) -> Int32 {
        unsafe address.withSocketAddress { pointer, length in
            // The C code reads `length` bytes of the address and copies one descriptor out of `passed`.
            unsafe keyvigil_send_descriptor(descriptor.number, passed, pointer, length)
        }
    }
}
