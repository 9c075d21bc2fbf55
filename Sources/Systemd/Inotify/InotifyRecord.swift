import CLinux
internal import Glibc
internal import SystemPackage

/// A record read from an inotify descriptor: `struct inotify_event`, inotify(7).
struct InotifyRecord: Hashable, Sendable {
    let watch: Int32
    let mask: UInt32
    let name: FilePath.Component?

    /// Whether the kernel dropped events.
    var isOverflow: Bool { mask & UInt32(IN_Q_OVERFLOW) != 0 }
    /// Whether the kernel has removed the watch, because the file or its file system is gone or the watch was removed.
    var isIgnored: Bool { mask & UInt32(IN_IGNORED) != 0 }

    /// Parses the result of one read. Stops at a truncated record, which the kernel never sends.
    static func parse(_ bytes: Span<UInt8>) -> [InotifyRecord] {
        var records: [InotifyRecord] = []
        var offset = 0
        let header = 16
        while offset + header <= bytes.count {
            let length = Int(word(bytes, at: offset + 12))
            guard offset + header + length <= bytes.count else { break }
            var name: [UInt8] = []
            for index in (offset + header)..<(offset + header + length) {
                // The name is padded with NULs.
                if bytes[index] == 0 { break }
                name.append(bytes[index])
            }
            records.append(
                InotifyRecord(
                    watch: Int32(bitPattern: word(bytes, at: offset)), mask: word(bytes, at: offset + 4),
                    name: component(name)))
            offset += header + length
        }
        return records
    }

    /// A 32-bit number in host byte order.
    private static func word(_ bytes: Span<UInt8>, at offset: Int) -> UInt32 {
        var value: UInt32 = 0
        for index in (0..<4).reversed() { value = value << 8 | UInt32(bytes[offset + index]) }
        return UInt32(littleEndian: value)
    }

    /// A file name, which may contain any byte except NUL and `/`.
    private static func component(_ name: [UInt8]) -> FilePath.Component? {
        guard !name.isEmpty else { return nil }
        let characters = name.map { CChar(bitPattern: $0) } + [0]
        // The array ends with the NUL that the initializer looks for.
        return unsafe characters.withUnsafeBufferPointer { buffer in
            unsafe buffer.baseAddress.flatMap { unsafe FilePath(platformString: $0).lastComponent }
        }
    }
}
