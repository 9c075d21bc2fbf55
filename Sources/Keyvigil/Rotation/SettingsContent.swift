internal import Keys

/// What a value of a file of settings says, in memory that is zeroed.
final class SettingsContent: Equatable {
    private let text: Secret

    init(_ text: consuming Secret) { self.text = text }

    var isEmpty: Bool { text.count == 0 }

    func isEqual(to other: borrowing Secret) -> Bool { text.count == other.count && contains(other) }

    func contains(_ other: borrowing Secret) -> Bool {
        text.withBytes { bytes in
            other.withBytes { bytes.contains($0) }
        }
    }

    static func == (first: SettingsContent, second: SettingsContent) -> Bool { first.isEqual(to: second.text) }
}
