import SystemPackage

/// Why something in an object database cannot be read. It is reported as a ``ScanProblem``.
struct GitReadError: Error, Sendable {
    let kind: ScanProblem.Kind
    /// A sentence without a full stop. It never contains content.
    let detail: String

    static func damagedPack(_ detail: String) -> GitReadError { .init(kind: .damagedPack, detail: detail) }
    static func damagedObject(_ detail: String) -> GitReadError {
        .init(kind: .damagedObject, detail: detail)
    }
    static func tooLarge(_ detail: String) -> GitReadError { .init(kind: .tooLarge, detail: detail) }

    static func system(_ errno: Errno) -> GitReadError {
        if errno == .noSuchFileOrDirectory {
            return .init(kind: .vanished, detail: "it was removed after it was listed; scan again")
        }
        return .init(kind: .unreadable, detail: "it cannot be read: \(errno)")
    }

    static func inflating(_ error: InflateError) -> GitReadError {
        switch error {
        case .damaged: .damagedObject("its compressed data is damaged")
        case .longerThanClaimed: .damagedObject("it is longer than its header says")
        case .shorterThanClaimed: .damagedObject("it is shorter than its header says")
        case .outOfMemory: .system(.noMemory)
        }
    }
}
