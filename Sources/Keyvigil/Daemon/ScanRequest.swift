import Keys

/// What is asked for to be scanned while a scan is under way, or before it begins.
struct ScanRequest: Equatable, Sendable {
    /// Everything.
    private(set) var isAll = false
    /// Some places: each path, and all below it.
    private(set) var places: Set<ExactText> = []

    static let nothing = ScanRequest()
    static let all = ScanRequest(isAll: true)

    static func some(_ places: Set<ExactText>) -> ScanRequest { ScanRequest(places: places) }

    private init(isAll: Bool = false, places: Set<ExactText> = []) {
        self.isAll = isAll
        self.places = places
    }

    mutating func merge(_ other: ScanRequest) {
        isAll = isAll || other.isAll
        places = isAll ? [] : places.union(other.places)
    }

    func includes(_ place: String) -> Bool {
        if isAll || places.contains("/") { return true }
        var part = place.utf8[...]
        while !part.isEmpty {
            if places.contains(ExactText(String(Substring(part)))) { return true }
            guard let slash = part.lastIndex(of: UInt8(ascii: "/")) else { return false }
            part = part[..<slash]
        }
        return false
    }
}
