/// An array of one dimension, for a statement about many rows: `unnest(\(List(numbers)))`.
package struct List<Element: Parameter>: Parameter {
    private let elements: [Element]

    package init(_ elements: [Element]) { self.elements = elements }

    /// The OID of the array of the element's type.
    package static var type: UInt32 { EncodedList.type(of: Element.self) }

    package func encode(to bytes: inout [UInt8]) -> Bool {
        var list = EncodedList(of: Element.self)
        for element in elements { list.append { element.encode(to: &$0) } }
        bytes += list.finish()
        return true
    }
}

/// An array of one dimension in PostgreSQL's binary format (array_recv, src/backend/utils/adt/arrayfuncs.c), to which elements are added one by
/// one: those that are in that format already are copied as they are.
package struct EncodedList {
    /// The OID of the array.
    let type: UInt32
    private let elementType: UInt32
    private var count: Int32 = 0
    private var hasNulls = false
    /// The header, then each element after its length, which is -1 for null.
    private var bytes = [UInt8](repeating: 0, count: header)

    /// The number of dimensions, a flag for nulls, the type, the length and the lower bound.
    private static let header = 20
    /// That of an empty one, which has no dimension.
    private static let emptyHeader = 12

    package init<Element: Parameter>(of element: Element.Type) {
        type = Self.type(of: element)
        elementType = Element.type
    }

    static func type<Element: Parameter>(of element: Element.Type) -> UInt32 {
        switch Element.type {
        case 16: 1000
        case 17: 1001
        case 20: 1016
        case 25: 1009
        case let other: preconditionFailure("no array of the type \(other) is known")
        }
    }

    /// Adds an element that is in PostgreSQL's format.
    ///
    /// - Parameter first: comes before the bytes.
    package mutating func append(_ element: ArraySlice<UInt8>, after first: UInt8? = nil) {
        append {
            if let first { $0.append(first) }
            $0 += element
            return true
        }
    }

    package mutating func appendNull() { append { _ in false } }

    /// - Parameter encode: adds the bytes of the element; returns false for null.
    mutating func append(_ encode: (inout [UInt8]) -> Bool) {
        let start = bytes.count
        bytes.append(bigEndian: Int32(-1))
        if encode(&bytes) {
            bytes.replace(at: start, withBigEndian: UInt32(bytes.count - start - 4))
        } else {
            hasNulls = true
        }
        count += 1
    }

    consuming func finish() -> [UInt8] {
        bytes.replace(at: 0, withBigEndian: count == 0 ? 0 : 1)
        bytes.replace(at: 4, withBigEndian: hasNulls ? 1 : 0)
        bytes.replace(at: 8, withBigEndian: elementType)
        bytes.replace(at: 12, withBigEndian: UInt32(count))
        bytes.replace(at: 16, withBigEndian: 1)
        if count == 0 { bytes.removeLast(Self.header - Self.emptyHeader) }
        return bytes
    }
}

extension [UInt8] {
    mutating func append(bigEndian number: some FixedWidthInteger) {
        for shift in stride(from: number.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    fileprivate mutating func replace(at start: Int, withBigEndian number: UInt32) {
        for index in 0..<4 { self[start + index] = UInt8(truncatingIfNeeded: number >> (24 - 8 * UInt32(index))) }
    }
}
