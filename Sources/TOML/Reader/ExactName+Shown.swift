extension ExactName {
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
