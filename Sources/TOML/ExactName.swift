/// A name that equals another only when their code points are the same. Two strings of Swift are equal also when one is a
/// decomposed form of the other; TOML takes those for two names.
struct ExactName: Hashable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (first: Self, second: Self) -> Bool { first.text.utf8.elementsEqual(second.text.utf8) }

    func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// As an error shows it: as in TOML, in ASCII, and of bounded length.
    var shown: String {
        let most = 60
        let isBare = !text.isEmpty && text.utf8.allSatisfy(ByteCursor.isBare)
        var shown = ""
        for scalar in text.unicodeScalars.prefix(most) {
            switch scalar {
            case "\"", "\\": shown += "\\\(scalar)"
            case " "..."~": shown.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16, uppercase: true)
                let length = scalar.value > 0xFFFF ? 8 : 4
                shown += length == 8 ? "\\U" : "\\u"
                shown += String(repeating: "0", count: length - digits.count) + digits
            }
        }
        if text.unicodeScalars.dropFirst(most).first != nil { shown += "…" }
        return isBare ? shown : "\"\(shown)\""
    }
}
