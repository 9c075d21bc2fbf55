import CLinux
internal import Glibc

/// The result of sending an entry.
package enum JournalSendResult: Hashable, Sendable {
    /// The entry is in the socket queue of journald. Only reading it back proves that it is stored.
    case sent
    /// The queue of journald is full, because it is stopped or slow: try again later.
    case wouldBlock
    /// journald does not listen (`ENOENT`, `ECONNREFUSED`, ...), or a resource is exhausted: try again later.
    case unavailable(Int32)
    /// This entry cannot be sent (`EMSGSIZE`, `EPERM`, ...); trying again does not help.
    case refused(Int32)
}

/// Sends entries to the native socket of journald. It never blocks, and never loses an entry without reporting it.
///
/// `sd_journal_sendv` of libsystemd returns success if the socket is missing and blocks indefinitely if journald hangs,
/// so this type has its own socket. The address is resolved at each send, so a restarted journald is found again. May
/// be used from any thread: the only state is the descriptor, and datagrams are atomic.
package final class JournalWriter: Sendable {
    /// The address of journald's socket.
    package static let defaultSocket = "/run/systemd/journal/socket"

    /// The size that libsystemd requests, so that an entry of usual size needs no memfd.
    private static let sendBufferSize: Int32 = 8 << 20

    private let descriptor: Descriptor
    private let address: UnixAddress

    /// Creates the socket; journald need not be running yet.
    package init(socket path: String = JournalWriter.defaultSocket) throws(SystemdError) {
        guard let address = UnixAddress(path) else {
            throw .cannot("use the journal socket \(path)", ENAMETOOLONG)
        }
        self.address = address
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        descriptor = try Descriptor(socket(AF_UNIX, type, 0), for: "make a socket for the journal")
        var size = Self.sendBufferSize
        // With a smaller buffer more entries are sent through a memfd, so a failure does not matter.
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

    /// Sends a mark: an empty datagram, which journald ignores. Once journald has received it (``isDrained``), it has
    /// processed everything that was sent before.
    package func mark() -> JournalSendResult { Self.result(of: sendDatagram([])) }

    /// Whether journald has received every datagram of this socket: unix(7), SIOCOUTQ. It has then processed all but
    /// the last one, and possibly that one too.
    package var isDrained: Bool {
        var waiting: Int32 = 0
        return unsafe ioctl(descriptor.number, UInt(TIOCOUTQ), &waiting) == 0 && waiting == 0
    }

    /// Classifies an error number by what the sender should do next.
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

    /// Sends an entry that is too large for a datagram, as a sealed memfd passed over the same socket.
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
            // The C function reads `length` bytes of the address and copies the descriptor `passed`.
            unsafe keyvigil_send_descriptor(descriptor.number, passed, pointer, length)
        }
    }
}
