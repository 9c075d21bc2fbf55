/// The names of a table and their values, in the order of the text.
package struct TOMLTable: Sendable, Equatable {
    /// A name and its value.
    package struct Entry: Sendable, Equatable {
        package let name: String
        /// Where the name is first written.
        package let position: TOMLPosition
        package let value: TOMLValue
    }

    package let entries: [Entry]
    private let index: [ExactName: Int]

    init(entries: [Entry], index: [ExactName: Int]) {
        self.entries = entries
        self.index = index
    }

    /// The entry of a name.
    package func entry(_ name: String) -> Entry? { index[ExactName(name)].map { entries[$0] } }

    /// The value of a name.
    package subscript(name: String) -> TOMLValue? { entry(name)?.value }
}
