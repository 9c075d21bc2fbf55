/// A hit with its line and column.
struct PlacedHit: Hashable {
    var start: UInt64
    var term: UInt32
    var secret: Int64?
    var form = Form.plain
    /// From 1, in lines and bytes; 0 in things that have no lines.
    var line: Int
    var column: Int
    /// Where in an archive it is: the entry's path; offset, line and column are those in the entry.
    var inside: [UInt8]?

    /// The path of the place, for that of the file or object.
    func path(in outer: [UInt8]) -> [UInt8] { inside.map { outer + Array("!/".utf8) + $0 } ?? outer }
}
