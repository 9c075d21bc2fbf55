/// Documents that are encrypted with a password: of Microsoft Office, which are compound files (MS-CFB) as its old documents are, whose text is in
/// them as it is; and of OpenDocument, zip files whose entries are not encrypted as those of other zip files.
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

    /// Whether an entry is the manifest of an OpenDocument file with encrypted entries (OpenDocument 1.2, part 3, 4.4).
    static func mentionsEncryption(ofDocument manifest: Span<UInt8>, _ name: [UInt8]) -> Bool {
        name.reversed().starts(with: "META-INF/manifest.xml".utf8.reversed())
            && first(":encryption-data", in: manifest, from: 0, upTo: manifest.count) != nil
    }
}
