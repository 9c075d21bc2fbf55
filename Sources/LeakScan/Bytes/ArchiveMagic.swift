/// How archives and compressed files begin, and what git keeps objects in.
enum ArchiveMagic {
    /// The number of bytes from the start of a file that decide.
    static let length = 512

    /// Whether bytes, from the start of a file on, may be something that holds others, compressed or packed. A yes may be wrong:
    /// then opening it fails.
    static func begins(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= 8 else { return false }
        // These may begin with any bytes.
        if isTar(bytes) || isISO(bytes) || lengthOfSkippable(bytes) != nil { return true }
        if bytes[0] == 0 || bytes[1] == 0 || bytes[0] >= 0xfe { return WideText(bytes) != nil || isLZMA(bytes) }
        switch bytes[0] {
        // zip, and with it jar, docx, xlsx, odt, apk, whl
        case UInt8(ascii: "P") where bytes[1] == UInt8(ascii: "K"): return bytes[2] == 3 && bytes[3] == 4
        // A pack, a bundle, and a file of one object, which is a zlib stream (RFC 1950).
        case UInt8(ascii: "P"): return matches("ACK", in: bytes, at: 1)
        case UInt8(ascii: "#"):
            return matches(" v2 git bundle\n", in: bytes, at: 1) || matches(" v3 git bundle\n", in: bytes, at: 1)
        case 0x78:
            return (UInt16(bytes[0]) << 8 | UInt16(bytes[1])) % 31 == 0 || matches("ar!", in: bytes, at: 1)
        // gzip (RFC 1952)
        case 0x1f where bytes[1] == 0x8b: return bytes[2] == 8
        // compress
        case 0x1f: return bytes[1] == 0x9d && bytes[2] & 0x80 != 0
        case 0xfd: return matches("7zXZ\0", in: bytes, at: 1)
        // Zstandard (RFC 8878)
        case 0x28: return bytes[1] == 0xb5 && bytes[2] == 0x2f && bytes[3] == 0xfd
        case UInt8(ascii: "B") where bytes[1] == UInt8(ascii: "Z"):
            return bytes[2] == UInt8(ascii: "h") && (0x31...0x39).contains(bytes[3])
                && matches("1AY&", in: bytes, at: 4)
        case UInt8(ascii: "7"): return isSevenZip(bytes)
        case UInt8(ascii: "R"): return matches("ar!\u{1a}\u{7}", in: bytes, at: 1)
        case UInt8(ascii: "M"): return matches("SCF\0\0\0\0", in: bytes, at: 1)
        // ar, and with it deb
        case UInt8(ascii: "!"): return matches("<arch>\n", in: bytes, at: 1)
        case UInt8(ascii: "0"): return isCPIO(bytes)
        case UInt8(ascii: "L"): return matches("ZIP\u{1}", in: bytes, at: 1) || isJournal(bytes)
        case UInt8(ascii: "%"): return isPDF(bytes)
        case UInt8(ascii: "b"): return isEncodedByUU(bytes)
        case 0x04: return bytes[1] == 0x22 && bytes[2] == 0x4d && bytes[3] == 0x18
        case 0xed: return bytes[1] == 0xab && bytes[2] == 0xee && bytes[3] == 0xdb
        case 0xd0: return isCompound(bytes)
        case 0x89: return isPNG(bytes)
        default: return false
        }
    }

    /// Whether it is compressed as a whole, so that an archive may be in it.
    static func isCompressed(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= 8, !isTar(bytes), !isISO(bytes), !isJournal(bytes) else { return false }
        if lengthOfSkippable(bytes) != nil { return true }
        switch bytes[0] {
        case 0x1f, 0xfd, 0x28, 0x04, 0xed, UInt8(ascii: "B"), UInt8(ascii: "L"): return begins(bytes)
        case UInt8(ascii: "b"): return isEncodedByUU(bytes)
        default: return isLZMA(bytes)
        }
    }

    /// The length in bytes of the frame without data that `bytes` begin with: frames of Zstandard (RFC 8878, 3.1.2) and LZ4 may have such
    /// before them. nil if there is none.
    static func lengthOfSkippable(_ bytes: Span<UInt8>) -> UInt64? {
        guard bytes.count >= headOfSkippable, bytes[0] & 0xf0 == 0x50, bytes[1] == 0x2a, bytes[2] == 0x4d,
            bytes[3] == 0x18
        else { return nil }
        return UInt64(headOfSkippable) + (4..<8).reduce(0) { $0 | UInt64(bytes[$1]) << UInt64(8 * ($1 - 4)) }
    }

    /// The number of bytes with which a frame without data begins.
    static let headOfSkippable = 8

    /// Whether it is an archive of which all but compressed entries is there as it is.
    static func isPlainArchive(_ bytes: Span<UInt8>) -> Bool {
        isTar(bytes) || isCPIO(bytes) || matches("!<arch>\n", in: bytes, at: 0)
    }

    static func isPDF(_ bytes: Span<UInt8>) -> Bool { matches("%PDF-", in: bytes, at: 0) && !isTar(bytes) }

    /// Whether it is a PNG file (RFC 2083, 3.1).
    static func isPNG(_ bytes: Span<UInt8>) -> Bool {
        let magic: [8 of UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
        return bytes.count >= magic.count && magic.indices.allSatisfy { bytes[$0] == magic[$0] } && !isTar(bytes)
    }

    /// Whether it is a compound file (MS-CFB, 2.2).
    static func isCompound(_ bytes: Span<UInt8>) -> Bool {
        let magic: [8 of UInt8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]
        return bytes.count >= length && magic.indices.allSatisfy { bytes[$0] == magic[$0] }
    }

    /// Whether it is a file of systemd's journal.
    static func isJournal(_ bytes: Span<UInt8>) -> Bool { matches("LPKSHHRH", in: bytes, at: 0) }

    private static func isSevenZip(_ bytes: Span<UInt8>) -> Bool {
        bytes[1] == UInt8(ascii: "z") && bytes[2] == 0xbc && bytes[3] == 0xaf && bytes[4] == 0x27 && bytes[5] == 0x1c
    }

    private static func isCPIO(_ bytes: Span<UInt8>) -> Bool {
        matches("07070", in: bytes, at: 0)
            && [UInt8(ascii: "1"), UInt8(ascii: "2"), UInt8(ascii: "7")].contains(bytes[5])
    }

    private static func isISO(_ bytes: Span<UInt8>) -> Bool { matches("CD001", in: bytes, at: 32_769) }

    private static func isLZMA(_ bytes: Span<UInt8>) -> Bool {
        bytes.count >= 14 && bytes[0] == 0x5d && bytes[1] == 0 && bytes[2] == 0 && (bytes[12] == 0 || bytes[12] == 0xff)
            && bytes[13] == 0
    }

    private static func isEncodedByUU(_ bytes: Span<UInt8>) -> Bool {
        matches("begin ", in: bytes, at: 0) && (6..<8).allSatisfy { (0x30...0x37).contains(bytes[$0]) }
    }

    /// Whether two bytes may be the first of something compressed or packed; tells little, and fast.
    static func mayBegin(_ first: UInt8, _ second: UInt8) -> Bool {
        switch first {
        case UInt8(ascii: "P"): second == UInt8(ascii: "K") || second == UInt8(ascii: "A")
        case 0x78: (UInt16(first) << 8 | UInt16(second)) % 31 == 0 || second == UInt8(ascii: "a")
        case 0x1f: second == 0x8b || second == 0x9d
        case 0xfd: second == UInt8(ascii: "7")
        case 0x28: second == 0xb5
        case UInt8(ascii: "B"): second == UInt8(ascii: "Z")
        case UInt8(ascii: "7"): second == UInt8(ascii: "z")
        case 0x5d: second == 0
        default: false
        }
    }

    /// The end record of a zip file, without its comment.
    static let zipEndLength = 22

    /// Whether the end record of a zip file is at `place`: all of it on one disk, with as many entries as there are.
    static func isZipEnd(_ bytes: Span<UInt8>, at place: Int) -> Bool {
        place >= 0 && bytes.count - place >= zipEndLength && matches("PK\u{5}\u{6}", in: bytes, at: place)
            && (4..<8).allSatisfy { bytes[place + $0] == 0 } && bytes[place + 8] == bytes[place + 10]
            && bytes[place + 9] == bytes[place + 11]
    }

    private static func isTar(_ bytes: Span<UInt8>) -> Bool {
        matches("ustar", in: bytes, at: 257) || isOldTar(bytes)
    }

    /// Whether it begins with a header as tar wrote it before there was a mark: by its checksum, six octal digits.
    private static func isOldTar(_ bytes: Span<UInt8>) -> Bool {
        let (start, end) = (148, 156)
        guard bytes.count >= length, (start..<(start + 6)).allSatisfy({ bytes[$0] == 0x20 || bytes[$0] & 0xf8 == 0x30 })
        else { return false }
        var sum = 0
        for at in 0..<length { sum += (start..<end).contains(at) ? 0x20 : Int(bytes[at]) }
        guard let first = (start..<end).first(where: { bytes[$0] != 0x20 }) else { return false }
        return sum == bytes.extracting(first..<end).octal
    }

    /// Whether it is no more than what comes before the content of the first file of a tar, as tar-split keeps it of the layers of
    /// container images: nothing is in it that its bytes do not show.
    static func isTarHeader(_ bytes: Span<UInt8>) -> Bool {
        guard isTar(bytes) else { return false }
        let block = 512
        var at = 0
        while at + block <= bytes.count {
            // Extended headers, and long names, have content of their own.
            guard
                [UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"), UInt8(ascii: "K")].contains(bytes[at + 156])
            else { return at + block >= bytes.count }
            let size = bytes.extracting((at + 124)..<(at + 135)).octal
            at += block + (size + block - 1) / block * block
        }
        return true
    }

    static func matches(_ text: StaticString, in bytes: Span<UInt8>, at offset: Int) -> Bool {
        guard bytes.count >= offset + text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { wanted in
            for index in 0..<wanted.count where unsafe bytes[offset + index] != wanted[index] { return false }
            return true
        }
    }
}

extension Span<UInt8> {
    /// The number that octal digits write; what follows them is passed over. At most 11 digits are read.
    fileprivate var octal: Int {
        var number = 0
        for at in 0..<Swift.min(count, 11) {
            guard (0x30...0x37).contains(self[at]) else { break }
            number = number << 3 | Int(self[at] & 7)
        }
        return number
    }
}
