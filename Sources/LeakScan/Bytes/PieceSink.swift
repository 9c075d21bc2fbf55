/// Receives bytes in pieces.
protocol PieceSink {
    /// The current piece, to which the producer appends.
    var buffer: ByteBuffer { get }
    /// Makes room in ``buffer`` and returns how many bytes may be appended, at least 1.
    func makeRoom() -> Int
    /// Consumes the piece if the buffer is full.
    mutating func takeFullBuffer()
    /// Consumes the last piece.
    mutating func finish()
}
