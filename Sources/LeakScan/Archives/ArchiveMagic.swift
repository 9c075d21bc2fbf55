/// The magic numbers of archives and compressed files.
enum ArchiveMagic {
    /// The number of bytes from the start of a file that decide.
    static let length = 262

    /// Whether the start of a file may be that of an archive that ``ArchiveReader`` opens. If the answer is wrongly
    /// true, opening fails.
    static func begins(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= 8 else { return false }
        switch bytes[0] {
        // zip, including jar, docx, xlsx, odt, apk and whl
        case UInt8(ascii: "P"): return bytes[1] == UInt8(ascii: "K") && bytes[2] == 3 && bytes[3] == 4
        // gzip (RFC 1952)
        case 0x1f: return bytes[1] == 0x8b && bytes[2] == 8
        case 0xfd: return matches("7zXZ\0", in: bytes, at: 1)
        // Zstandard (RFC 8878)
        case 0x28: return bytes[1] == 0xb5 && bytes[2] == 0x2f && bytes[3] == 0xfd
        case UInt8(ascii: "B") where bytes[1] == UInt8(ascii: "Z"):
            return bytes[2] == UInt8(ascii: "h") && (0x31...0x39).contains(bytes[3])
                && matches("1AY&", in: bytes, at: 4)
        default: return matches("ustar", in: bytes, at: 257)
        }
    }

    private static func matches(_ text: StaticString, in bytes: Span<UInt8>, at offset: Int) -> Bool {
        guard bytes.count >= offset + text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { wanted in
            for index in 0..<wanted.count where unsafe bytes[offset + index] != wanted[index] { return false }
            return true
        }
    }
}
