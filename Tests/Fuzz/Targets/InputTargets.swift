import Foundation
import Keys
import Systemd

@testable import Keyvigil

/// What people and other programs write: command lines, configuration, headers, lines to import, and what goes out to the
/// journal.
enum InputTargets {
    static let all: [FuzzTarget] = [
        target("period", ["90d", "1h 30m", "0", "never", "1500ms", "99999999999999999999d", "1w2d"]) { bytes in
            guard let period = try? Period(parsing: text(bytes)) else { return }
            require(period.milliseconds >= 0)
            // What is shown can be read again, and means the same.
            require(try? Period(parsing: period.description), period)
        },
        target(
            "instant",
            [
                "2027-01-31", "2028-02-29T23:59:59.999+14:00", "1970-01-01T00:00:00Z", "9999-12-31 00:00:00z",
            ]
        ) {
            guard let instant = try? Instant(parsing: text($0)) else { return }
            require(instant >= .earliest && instant <= .latest)
            require(try? Instant(parsing: instant.description), instant)
        },
        target("name", ["billing", "a\u{202E}b", "caf\u{E9}", "\u{7}", "😀"]) { bytes in
            let shown = DisplayText.escaped(text(bytes))
            // Whatever comes in, nothing of what goes out steers a terminal.
            require(
                shown.unicodeScalars.allSatisfy {
                    $0.value >= 0x20 && $0.value != 0x7F && !(0x202A...0x202E ~= $0.value)
                })
            if let name = try? NameRules.checked(text(bytes), what: "name") { require(DisplayText.escaped(name), name) }
        },
        target("access", ["*", "read,write", "mcp:*", "all", "p1,p2", "read all"]) { bytes in
            if let set = try? PermissionSet(parsing: [text(bytes)]) {
                require(PermissionSet(stored: set.stored), set)
                _ = set.allows("mcp:write")
            }
            if let scope = try? ResourceScope(parsing: [text(bytes)]) {
                require(ResourceScope(stored: scope.stored), scope)
            }
        },
        target(
            "authorization",
            [
                "Bearer kv_live_0123456_abc", "pied-piper-7132:secret", "  bearer\tx ", "Basic YWJj", "",
            ]
        ) {
            let value = secret($0)
            let found = Authorization.secret(in: value)
            require(found.count <= value.count)
            // What is left is a part of what came, without white space around it, and finding it again changes nothing.
            let inner = copy(found)
            if let first = inner.first, let last = inner.last { require(!isSpace(first) && !isSpace(last)) }
            require(inner.isEmpty || contains($0, inner))
        },
        target(
            "json-line",
            [
                #"{"name":"a","secret":"kv_x","permissions":["read","mcp:write"],"owner":null}"#,
                #"{"name":"\ud83d\udd11 é"}"#,
                "{}",
                #"{"a":["#,
            ]
        ) { bytes in
            // What a general parser accepts of this shape is read with the same texts.
            var ours: [String] = []
            let isOurs: Bool
            do {
                try JSONFields.forEach(in: bytes.span) {
                    $0
                } value: { name, value in
                    ours.append(name + "=" + value.text(upTo: value.count))
                }
                isOurs = true
            } catch { isOurs = false }
            guard isOurs else { return }
            let theirs = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
            require(theirs != nil || !isValidUTF8(bytes))
        },
        target("csv-line", ["name,secret,prefix", "\"Blnk, main\",\"a\"\"b\",", "\"open", ",,,\r", ""]) { bytes in
            var columns = 0
            try? CSVFields.forEach(in: bytes.span, separatedBy: UInt8(ascii: ",")) { column, value in
                require(column == columns && value.count <= bytes.count)
                columns += 1
            }
            require(columns <= bytes.count + 1)
        },
        target(
            "configuration",
            [
                shipped("config/keyvigil.toml"), "[scan]\nrepositories = [\"/srv/git/*.git\"]\n", "[a",
            ]
        ) {
            var loaded = LoadedConfiguration()
            do throws(InputError) { try loaded.apply($0, file: "fuzz.toml") } catch {
                // Refused with the place and the reason, on one line that a terminal can take.
                require(error.message.hasPrefix("fuzz.toml"))
            }
        },
        target(
            "profile",
            ["keyvigil", "cloudflare", "finta", "github", "qonto", "qubitro", "slack"].map {
                shipped("config/issuers/\($0).toml")
            }
        ) {
            bytes in
            do {
                let profile = try IssuerProfile(parsing: bytes, file: "fuzz.toml", ownBrand: "kv")
                // Every profile that is accepted can make a secret, and reads its own back.
                var generator = SystemRandom()
                for environment in profile.environments {
                    let prefix = try profile.shape.randomPrefix(
                        environment: environment, signIn: "acme-1234", using: &generator)
                    let made = try profile.shape.makeSecret(prefix: prefix, using: &generator)
                    require(made.count > prefix.utf8.count && made.count <= Secret.longest)
                }
            } catch let error as InputError { require(!error.message.isEmpty) } catch { require(false) }
        },
        target("journal-entry", ["MESSAGE=one line", "two\nlines", "\0\u{1B}[2J", "A=B\nMESSAGE=x\n"]) { bytes in
            var entry = JournalEntry(message: text(bytes), priority: .warning, identifier: "keyvigild")
            entry.append("KEYVIGIL_KEY_NAME", bytes: bytes)
            entry.append("KEYVIGIL_PATH", text(bytes))
            // No value can end its field early or begin another one.
            require(decoded(entry.encoded()), entry.fields.map { ($0.name.description, $0.value) })
        },
    ]

    private static func target(
        _ name: String, _ seeds: [String], run: @escaping @Sendable ([UInt8]) -> Void
    ) -> FuzzTarget {
        FuzzTarget(name, seeds: { seeds.filter { !$0.isEmpty }.map { Array($0.utf8) } }, run: run)
    }
}

// MARK: - Helpers

private func require(_ condition: Bool, line: Int = #line) {
    guard condition else { FuzzFailure.stop("a promise is broken, line \(line)") }
}

private func require<Value: Equatable>(_ value: Value?, _ expected: Value, line: Int = #line) {
    guard value == expected else { FuzzFailure.stop("\(String(describing: value)) is not \(expected), line \(line)") }
}

private func require(_ fields: [(String, [UInt8])], _ expected: [(String, [UInt8])], line: Int = #line) {
    require(fields.elementsEqual(expected) { $0.0 == $1.0 && $0.1 == $1.1 }, line: line)
}

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

private func isValidUTF8(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

private func secret(_ bytes: [UInt8]) -> Secret { Secret(copying: bytes.span) }

private func copy(_ secret: borrowing Secret) -> [UInt8] {
    secret.withBytes { bytes in bytes.indices.map { bytes[$0] } }
}

private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
    bytes.indices.contains { bytes[$0...].starts(with: part) }
}

/// A file of the project, found from the path of this one.
private func shipped(_ path: String) -> String {
    let root = (0..<4).reduce(URL(filePath: #filePath)) { url, _ in url.deletingLastPathComponent() }
    return (try? String(contentsOf: root.appending(path: path), encoding: .utf8)) ?? ""
}

/// Reads the journal's native protocol, as journald does (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/).
private func decoded(_ bytes: [UInt8]) -> [(String, [UInt8])] {
    var fields: [(String, [UInt8])] = []
    var rest = bytes[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        let line = rest[rest.startIndex..<end]
        rest = rest[(end + 1)...]
        if let equals = line.firstIndex(of: UInt8(ascii: "=")) {
            fields.append((text(Array(line[..<equals])), Array(line[(equals + 1)...])))
            continue
        }
        var count = 0
        for shift in 0..<8 { count |= Int(rest[rest.startIndex + shift]) << (8 * shift) }
        rest = rest.dropFirst(8)
        fields.append((text(Array(line)), Array(rest.prefix(count))))
        rest = rest.dropFirst(count + 1)
    }
    return fields
}
