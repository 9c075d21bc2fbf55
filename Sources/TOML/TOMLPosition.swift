/// A place in a text. Lines and columns count from 1; a column is a Unicode scalar, so a tab and an `é` are one each.
package struct TOMLPosition: Sendable, Hashable, Comparable {
    package let line: Int
    package let column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static func < (first: Self, second: Self) -> Bool {
        (first.line, first.column) < (second.line, second.column)
    }
}
