internal import Glibc
import SystemPackage

/// Reads loose objects: a zlib stream of `KIND SIZE NUL CONTENT`
/// (gitrepository-layout(5)).
final class LooseReader {
    /// The start of a loose object.
    struct Header {
        let kind: ObjectKind
        let size: UInt64
        /// The length of the header, including the NUL.
        let length: Int
    }

    /// Bytes that are read before it is known how long an object is: most are whole then.
    private static let firstRead = 64 << 10

    private let compressed = ByteBuffer()
    private let start = ByteBuffer(capacity: 64)
    private let inflater = Inflater()
    private let streamInflater = StreamInflater()

    /// The path of an object's file in an object directory.
    static func path(of name: ObjectID, in directory: FilePath) -> FilePath {
        let hex = Array(name.hex.utf8)
        let slash = [UInt8(ascii: "/")]
        return FilePath(bytes: directory.bytes + slash + hex[..<2] + slash + hex[2...])
    }

    /// Reads the object at `path`. If it has at most `limit` bytes, `output` receives the header, of ``Header/length``
    /// bytes, and the content; otherwise only the header is parsed, and `output` is empty.
    func read(_ path: FilePath, limit: Int, into output: ByteBuffer) throws(GitReadError) -> Header {
        let file = try open(path)
        let size = try load(file, from: 0, count: Self.firstRead)
        output.reset(capacity: 0)
        let header = try readHeader()
        guard header.size <= UInt64(limit) else { return header }
        if size > UInt64(compressed.count) {
            // What zlib needs at most for data that cannot be compressed.
            let longest = header.size + header.size >> 8 + 4096
            guard size <= longest else { throw .damagedObject("it is longer than its header says") }
            _ = try load(file, from: 0, count: Int(size))
            guard UInt64(compressed.count) == size else { throw .damagedObject("it is cut short") }
        }
        guard header.size <= UInt64(compressed.count) * 1032 + 64 else {
            throw .damagedObject("it claims more bytes than its data can hold")
        }
        let count = header.length + Int(header.size)
        output.reset(capacity: count)
        let compressed = compressed
        let consumed: Int
        do {
            consumed = try inflater.inflate(compressed.bytes, count: count, into: output)
        } catch { throw .inflating(error) }
        guard consumed == compressed.count else { throw .damagedObject("there is something after its end") }
        return header
    }

    /// Passes the content of an object that is too long for memory to `sink`, piece by piece.
    ///
    /// - Parameters:
    ///   - header: from ``read(_:limit:into:)``.
    ///   - hash: gets the content.
    ///   - limit: the maximum length of the content to inflate, in bytes.
    func stream(
        _ path: FilePath, _ header: Header, into sink: inout some PieceSink, limit: UInt64, control: ScanControl,
        hash: ContentHash
    ) throws(GitReadError) {
        let file = try open(path)
        let compressed = compressed
        streamInflater.reset()
        start.reset(capacity: header.length)
        _ = try load(file, from: 0, count: ObjectStream.chunk)
        let taken: Int
        do {
            taken = try streamInflater.inflate(compressed.bytes, room: header.length, into: start)
        } catch { throw .inflating(error) }
        guard start.count == header.length else { throw .damagedObject("its compressed data is cut short") }
        let stream = ObjectStream(
            inflater: streamInflater, size: header.size, limit: limit, control: control, hash: hash)
        _ = try stream.inflate(into: &sink) { at throws(GitReadError) in
            _ = try load(file, from: UInt64(taken) + at, count: ObjectStream.chunk)
            return LoadedBytes(buffer: compressed, range: 0..<compressed.count)
        }
    }

    private func open(_ path: FilePath) throws(GitReadError) -> InputFile {
        do { return try InputFile(path) } catch { throw .system(error) }
    }

    /// - Returns: the length of the file.
    private func load(_ file: InputFile, from offset: UInt64, count: Int) throws(GitReadError) -> UInt64 {
        do {
            let state = try file.state()
            guard state.isRegular else { throw GitReadError.damagedObject("it is not a file") }
            let wanted = Int(min(UInt64(count), state.size - min(offset, state.size)))
            compressed.reset(capacity: wanted)
            try file.read(at: offset, count: wanted, into: compressed)
            return state.size
        } catch let error as Errno {
            throw .system(error)
        } catch let error as GitReadError {
            throw error
        } catch {
            throw .damagedObject("it cannot be read")
        }
    }

    private func readHeader() throws(GitReadError) -> Header {
        let start = start
        let compressed = compressed
        streamInflater.reset()
        start.reset(capacity: 64)
        do {
            _ = try streamInflater.inflate(compressed.bytes, room: 64, into: start)
        } catch { throw .inflating(error) }
        var bytes = Array(copying: start.bytes)
        // The content follows the header and may contain a secret.
        defer {
            unsafe bytes.withUnsafeMutableBytes { memory in
                if let start = memory.baseAddress { unsafe explicit_bzero(start, memory.count) }
            }
        }
        guard let end = bytes.firstIndex(of: 0), let space = bytes[..<end].firstIndex(of: UInt8(ascii: " ")),
            let kind = ObjectKind(word: bytes[..<space]),
            let size = UInt64(String(decoding: bytes[(space + 1)..<end], as: UTF8.self))
        else { throw .damagedObject("its header is damaged") }
        return Header(kind: kind, size: size, length: end + 1)
    }
}
