/// A range of a file in memory; valid until the same reader loads the next one.
struct LoadedBytes {
    let buffer: ByteBuffer
    let range: Range<Int>
}
