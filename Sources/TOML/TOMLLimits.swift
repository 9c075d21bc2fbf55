/// What a text may demand of the reader. Its time and memory grow with the bytes alone, within the depth.
package struct TOMLLimits: Sendable, Equatable {
    /// The length of the text in bytes.
    package var bytes: Int
    /// How many tables and arrays may lie within each other; each part of a dotted name is one.
    package var depth: Int

    package init(bytes: Int = 16 << 20, depth: Int = 64) {
        self.bytes = bytes
        self.depth = depth
    }
}
