/// A host of a fleet, as its events and its locations name it.
package struct HostIdentity: Hashable, Sendable {
    /// Its number in the fleet; 0: the store is of no fleet.
    package let number: Int64
    /// Its name in the fleet; empty where the store is of no fleet.
    package let name: String

    /// The host of a store that is of no fleet, and of the events from before it was.
    package static let alone = HostIdentity(numbered: 0, named: "")

    /// The greatest number of a host.
    package static let greatestNumber: Int64 = 1 << 23 - 1
    /// The greatest length of a name, in bytes.
    package static let longestName = 64

    /// - Returns: nil for a number that is not in 1…``greatestNumber``, and for a name that is empty, longer than
    ///   ``longestName``, begins with a punctuation mark, or has other characters than ASCII letters, digits, `-`, `_` and `.`.
    package init?(number: Int64, name: String) {
        func isLetterOrDigit(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
        guard (1...Self.greatestNumber).contains(number), let first = name.utf8.first, isLetterOrDigit(first),
            name.utf8.count <= Self.longestName,
            name.utf8.allSatisfy({ isLetterOrDigit($0) || "-_.".utf8.contains($0) })
        else { return nil }
        self.init(numbered: number, named: name)
    }

    /// A host as a table has it.
    init(numbered number: Int64, named name: String) {
        self.number = number
        self.name = name
    }
}
