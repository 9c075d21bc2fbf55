extension Span<UInt8> {
    /// Whether other bytes are a part of these.
    package func contains(_ wanted: borrowing Span<UInt8>) -> Bool {
        guard wanted.count <= count else { return false }
        for start in 0...(count - wanted.count) {
            var length = 0
            while length < wanted.count, self[start + length] == wanted[length] { length += 1 }
            if length == wanted.count { return true }
        }
        return false
    }
}
