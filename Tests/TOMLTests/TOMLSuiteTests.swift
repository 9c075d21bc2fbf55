import Foundation
import TOML
import Testing

private let suite = ProcessInfo.processInfo.environment["KEYVIGIL_TOML_SUITE"]

/// The public suite of TOML (https://github.com/toml-lang/toml-test), which is not a part of this project: `make toml-test
/// SUITE=/path` runs all cases that it lists for TOML 1.0.0.
@Suite("The public suite of TOML", .enabled(if: suite != nil))
struct TOMLSuiteTests {
    private struct Case {
        let name: Substring
        let text: [UInt8]
        let isValid: Bool
        let expected: Any?
    }

    @Test("all valid cases are read as the suite says, and all invalid ones are refused")
    func cases() throws {
        let cases = try listed()
        #expect(cases.contains(where: \.isValid) && !cases.allSatisfy(\.isValid))
        for one in cases {
            do {
                let table = try TOMLTable(parsing: one.text)
                #expect(one.isValid, "\(one.name) is accepted")
                if let expected = one.expected {
                    #expect(matches(expected, Self.tagged(table)), "\(one.name) is read as \(Self.tagged(table))")
                }
            } catch {
                #expect(!one.isValid, "\(one.name):\(error)")
            }
        }
        print("\(cases.count) cases, \(cases.count(where: \.isValid)) of them valid")
    }

    private func listed() throws -> [Case] {
        let tests = URL(filePath: try #require(suite)).appending(path: "tests")
        let list = try String(contentsOf: tests.appending(path: "files-toml-1.0.0"), encoding: .utf8)
        return try list.split(separator: "\n").filter { $0.hasSuffix(".toml") }.map { name in
            let isValid = name.hasPrefix("valid/")
            let answer = tests.appending(path: name.dropLast(".toml".count) + ".json")
            return Case(
                name: name, text: Array(try Data(contentsOf: tests.appending(path: String(name)))), isValid: isValid,
                expected: isValid ? try JSONSerialization.jsonObject(with: Data(contentsOf: answer)) : nil)
        }
    }

    // MARK: - The suite's JSON: a scalar is {"type": …, "value": …}

    private static func tagged(_ table: TOMLTable) -> [String: Any] {
        Dictionary(uniqueKeysWithValues: table.entries.map { ($0.name, tagged($0.value)) })
    }

    private static func tagged(_ value: TOMLValue) -> Any {
        switch value.content {
        case .string(let text): scalar("string", text)
        case .integer(let number): scalar("integer", String(number))
        case .float(let number): scalar("float", String(number))
        case .boolean(let flag): scalar("bool", String(flag))
        case .dateTime(let value):
            switch value {
            case .instant: scalar("datetime", value.description)
            case .local: scalar("datetime-local", value.description)
            case .date: scalar("date-local", value.description)
            case .time: scalar("time-local", value.description)
            }
        case .array(let elements): elements.map(tagged)
        case .table(let table): tagged(table)
        }
    }

    private static func scalar(_ type: String, _ value: String) -> [String: Any] { ["type": type, "value": value] }

    private func matches(_ expected: Any, _ found: Any) -> Bool {
        if let expected = expected as? [Any] {
            guard let found = found as? [Any] else { return false }
            return expected.count == found.count && zip(expected, found).allSatisfy(matches)
        }
        guard let expected = expected as? [String: Any], let found = found as? [String: Any] else { return false }
        if let type = expected["type"] as? String, let value = expected["value"] as? String {
            guard found["type"] as? String == type, let read = found["value"] as? String else { return false }
            return matches(value, read, type: type)
        }
        return expected.count == found.count
            && expected.allSatisfy { name, value in found[name].map { matches(value, $0) } == true }
    }

    private func matches(_ expected: String, _ found: String, type: String) -> Bool {
        switch type {
        case "float":
            guard let expected = Double(expected), let found = Double(found) else { return false }
            return expected == found || expected.isNaN && found.isNaN
        case "datetime", "datetime-local", "time-local": return plain(expected) == plain(found)
        default: return expected.utf8.elementsEqual(found.utf8)
        }
    }

    /// A time without trailing zeros of its fraction, and with `Z` for an offset of zero.
    private func plain(_ time: String) -> String {
        var time = time
        if let fraction = time.firstRange(of: /\.\d+/) {
            var digits = time[fraction]
            while digits.last == "0" { digits.removeLast() }
            time.replaceSubrange(fraction, with: digits == "." ? "" : digits)
        }
        return time.hasSuffix("+00:00") ? time.dropLast(6) + "Z" : time
    }
}
