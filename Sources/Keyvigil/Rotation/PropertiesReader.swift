internal import Keys

/// Reads properties of Java: `java.util.Properties`, "load". Values have no quotes, and go to the end of their line.
struct PropertiesReader: ~Escapable {
    private let bytes: SettingsBytes

    @_lifetime(copy bytes)
    init(_ bytes: SettingsBytes) { self.bytes = bytes }

    func values() -> [SettingsValue] {
        var values: [SettingsValue] = []
        var at = bytes.start
        var number = 0
        var isContinued = false
        while at < bytes.count {
            let line = bytes.line(from: at)
            at = bytes.next(line)
            number += 1
            let start = bytes.afterBlanks(line)
            let isNote = bytes[start] == UInt8(ascii: "#") || bytes[start] == UInt8(ascii: "!")
            guard start < line.upperBound, isContinued || !isNote else { continue }
            let continues = bytes.endsWithBackslash(line)
            defer { isContinued = continues }
            guard !isContinued else { continue }
            let end = endOfName(start..<line.upperBound)
            var value = bytes.afterBlanks(end..<line.upperBound)
            if value < line.upperBound, bytes[value] == UInt8(ascii: "=") || bytes[value] == UInt8(ascii: ":") {
                value = bytes.afterBlanks(value + 1..<line.upperBound)
            }
            let range = value..<line.upperBound
            var use = SettingsValue.Use.text(.bare)
            if continues || bytes.first(0x0d, in: range) != nil { use = SettingsValue.noText("several lines long") }
            if end == line.upperBound { use = SettingsValue.noText("missing") }
            values.append(
                SettingsValue(
                    [name(start..<end)], at: range, line: number, content: bytes.content(range), use))
        }
        return values
    }

    /// Up to a blank, `=` or `:` without a backslash.
    private func endOfName(_ range: Range<Int>) -> Int {
        var at = range.lowerBound
        while at < range.upperBound, !bytes.isBlank(at), bytes[at] != UInt8(ascii: "="), bytes[at] != UInt8(ascii: ":")
        {
            at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(at, range.upperBound)
    }

    private func name(_ range: Range<Int>) -> String {
        let written = bytes.name(range)
        guard written.contains("\\") else { return written }
        var name = ""
        var isEscaped = false
        for character in written {
            if character == "\\", !isEscaped {
                isEscaped = true
            } else {
                name.append(character)
                isEscaped = false
            }
        }
        return name
    }
}

extension SettingsBytes {
    /// Whether a line ends with a backslash that is not escaped itself: what follows belongs to it.
    func endsWithBackslash(_ line: Range<Int>) -> Bool {
        var at = line.upperBound
        while at > line.lowerBound, self[at - 1] == UInt8(ascii: "\\") { at -= 1 }
        return (line.upperBound - at) % 2 == 1
    }
}
