import SystemPackage

/// The bytes of a pack or bundle, wherever they are.
enum PackBytes {
    case file(InputFile)
    case memory(ByteBuffer)

    private static let pack = Array("PACK".utf8)
    private static let bundles = ["# v2 git bundle\n", "# v3 git bundle\n"].map { Array($0.utf8) }

    /// Whether bytes begin a pack of a known version, or a bundle.
    static func begins(_ bytes: Span<UInt8>) -> Bool {
        func starts(with mark: [UInt8]) -> Bool {
            bytes.count >= mark.count && mark.indices.allSatisfy { bytes[$0] == mark[$0] }
        }
        if starts(with: pack), bytes.count >= 12 {
            return bytes[4] | bytes[5] | bytes[6] == 0 && (2...3).contains(bytes[7])
        }
        return bundles.contains(where: starts)
    }

    /// Appends up to `count` bytes from `offset` on, fewer only at the end.
    func read(at offset: UInt64, count: Int, into buffer: ByteBuffer) throws(GitReadError) {
        switch self {
        case .file(let file):
            do { try file.read(at: offset, count: count, into: buffer) } catch { throw .system(error) }
        case .memory(let bytes):
            guard offset < UInt64(bytes.count) else { return }
            let all = bytes.bytes
            buffer.append(all.extracting(Int(offset)..<min(all.count, Int(offset) + count)))
        }
    }
}
