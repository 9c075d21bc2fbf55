/// Compound files (MS-CFB): old documents of Office, whose text is in them as it is, and new ones that are encrypted with a password.
extension ArchiveSearch {
    /// The name of the stream that is the encrypted document (MS-OFFCRYPTO, 2.3.1), in UTF-16.
    private static let encrypted: StaticString =
        "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0"

    func openCompound(_ bytes: Span<UInt8>) {
        openCompound(size: bytes.count) { range, buffer in Self.copy(range, of: bytes, to: buffer) }
    }

    /// Says so if the file is an encrypted document. There is nothing to unpack.
    func openCompound(size: Int, _ read: Source) {
        forEachWindow(size: size, before: 0, after: Self.encrypted.utf8CodeUnitCount, read) { bytes, range, _ in
            guard Self.first(Self.encrypted, in: bytes, from: range.lowerBound, upTo: range.upperBound) != nil else {
                return true
            }
            state.fallShort(.encrypted)
            return false
        }
    }
}
