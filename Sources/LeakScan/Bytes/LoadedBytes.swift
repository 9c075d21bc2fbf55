/// Where some bytes of a file are in memory; good until the next are loaded by the same reader.
struct LoadedBytes {
    let buffer: ByteBuffer
    let range: Range<Int>
}
