package import CLinux
internal import Glibc

/// The address of a Unix socket: a path, or a name in the abstract namespace written with a leading `@`
/// (unix(7), sd_notify(3)).
package struct UnixAddress: Sendable {
    /// The bytes for `sun_path`: without a final NUL, with a leading NUL for an abstract name.
    private let path: [UInt8]

    /// Nil if the text is empty, contains a NUL or is longer than 107 bytes.
    package init?(_ text: String) {
        var path = Array(text.utf8)
        guard let first = path.first, !path.contains(0), path.count < Self.capacity else { return nil }
        if first == UInt8(ascii: "@") { path[0] = 0 }
        self.path = path
    }

    private static var capacity: Int { MemoryLayout.size(ofValue: sockaddr_un().sun_path) }

    /// Calls `body` with the address as the kernel takes it.
    package func withSocketAddress<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // `init` has checked that the path and a NUL fit.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        let isAbstract = path.first == 0
        // The length delimits an abstract name; a path ends with its NUL.
        let length = MemoryLayout<sockaddr_un>.offset(of: \.sun_path).map {
            $0 + path.count + (isAbstract ? 0 : 1)
        }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(length ?? MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
