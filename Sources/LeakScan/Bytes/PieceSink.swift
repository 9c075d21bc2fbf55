/// Takes bytes that come in pieces.
protocol PieceSink {
    /// The piece at hand; what comes next is appended to it.
    var buffer: ByteBuffer { get }
    /// How many bytes may be appended to ``buffer`` now; more than 0.
    func makeRoom() -> Int
    /// Takes the piece if no more would fit into the buffer.
    mutating func takeFullBuffer()
    /// Takes what is left.
    mutating func finish()
}
