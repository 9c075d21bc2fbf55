/// The place in the sources where an error was made, which debug builds record and print: `Keys/Instant.swift:82`.
///
/// It is no part of what an error says: all origins are equal.
package struct ErrorOrigin: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// Nil in a release build.
    package init?(file: StaticString, line: UInt) {
        #if DEBUG
        description = "\(file):\(line)"
        #else
        return nil
        #endif
    }

    package static func == (_: ErrorOrigin, _: ErrorOrigin) -> Bool { true }
    package func hash(into _: inout Hasher) {}
}
