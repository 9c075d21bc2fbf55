internal import Keys
internal import SystemPackage
internal import Systemd

/// The whole input of an import, in memory that is zeroed. It is read before the store is touched: however slowly it comes, no
/// other program waits for it.
final class ImportInput: Sendable {
    private let parts: [Part]
    /// In bytes.
    let size: UInt64

    /// Unchecked: it is filled before it is shared, and not changed afterwards.
    private final class Part: @unchecked Sendable {
        var bytes: Secret
        init(capacity: Int) { bytes = Secret(capacity: capacity) }
    }

    /// The most that is read, in bytes: several million keys.
    static let largest = 1 << 30
    private static let partSize = 1 << 20

    /// Reads a file to its end.
    ///
    /// - Parameter note: gets the number of bytes so far.
    /// - Throws: `Errno`; ``InputError`` for more bytes than ``largest``.
    init(_ file: FileDescriptor, _ note: (UInt64) -> Void = { _ in }) throws {
        var parts: [Part] = []
        var size = 0
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        defer { Zeroing.zero(&buffer) }
        while true {
            let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
            guard count > 0 else { break }
            size += count
            guard size <= Self.largest else {
                throw InputError(
                    "the input has more than \(Self.largest >> 20) MB, and nothing was imported",
                    hint: "import it in parts: split -C 500m FILE")
            }
            if parts.last.map({ $0.bytes.count + count > Self.partSize }) ?? true {
                parts.append(Part(capacity: Self.partSize))
            }
            parts.last?.bytes.append(contentsOf: buffer[..<count])
            note(UInt64(size))
        }
        self.parts = parts
        self.size = UInt64(size)
    }

    /// Where a reader is.
    struct Position {
        fileprivate var part = 0
        fileprivate var offset = 0
    }

    /// Copies the next bytes into a buffer, from an index on.
    ///
    /// - Returns: how many; 0 at the end.
    func read(_ position: inout Position, into buffer: inout [UInt8], at start: Int) -> Int {
        guard position.part < parts.count else { return 0 }
        let offset = position.offset
        let (count, isWhole) = parts[position.part].bytes.withBytes { bytes in
            let count = min(bytes.count - offset, buffer.count - start)
            for index in 0..<count { buffer[start + index] = bytes[offset + index] }
            return (count, offset + count == bytes.count)
        }
        position = isWhole ? Position(part: position.part + 1) : Position(part: position.part, offset: offset + count)
        return count
    }
}
