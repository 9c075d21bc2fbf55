/// The few settings of a repository's `config` that decide whether and how it can be read (git-config(1)).
///
/// Nothing else is looked at: no includes, no commands, no paths.
struct GitConfig: Sendable, Equatable {
    var formatVersion = 0
    /// The `extensions.*` settings, names in lower case.
    var extensions: [String: String] = [:]
    /// Some remote promises the objects that are missing here.
    var hasPromisor = false
    /// `core.excludesFile`, as it is written.
    var excludesFile: String?
    /// `core.worktree`, as it is written.
    var worktree: String?
    /// `lfs.storage`, as it is written.
    var lfsStorage: String?
    /// Something here, or in a file that is included, may convert files between the working tree and the objects.
    var mayConvert = false

    /// Longer keys, sections and values are none of those that count, in bytes.
    private static let longestWord = 4096
    /// More extensions than git has in sight.
    private static let mostExtensions = 100

    init(_ bytes: [UInt8]) {
        var section = ""
        var rest = bytes[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            var line = rest[..<end].trimmed
            rest = rest[min(end + 1, rest.endIndex)...]
            if line.first == UInt8(ascii: "[") {
                guard let end = line.firstIndex(of: UInt8(ascii: "]")) else { continue }
                section = Self.word(line[(line.startIndex + 1)..<end])?.lowercased() ?? ""
                line = line[(end + 1)...].trimmed
            }
            guard Self.counts(section), let first = line.first, first != UInt8(ascii: "#"), first != UInt8(ascii: ";")
            else { continue }
            let parts = line.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let key = Self.word(parts[0].trimmed)?.lowercased() else { continue }
            guard let value = parts.count > 1 ? Self.value(parts[1]) : "true" else { continue }
            take(section: section, key: key, value: value)
        }
    }

    /// Whether a setting of a section is looked at.
    private static func counts(_ section: String) -> Bool {
        ["core", "lfs", "extensions"].contains(section) || section.hasPrefix("include") || section.hasPrefix("remote")
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> String? {
        bytes.count <= longestWord ? String(decoding: bytes, as: UTF8.self) : nil
    }

    private mutating func take(section: String, key: String, value: String) {
        switch section {
        case "core" where key == "repositoryformatversion": formatVersion = Int(value) ?? -1
        case "core" where key == "excludesfile": excludesFile = value
        case "lfs" where key == "storage": lfsStorage = value
        case "core" where key == "worktree": worktree = value
        case "core" where key == "autocrlf": if value.lowercased() != "false" { mayConvert = true }
        case "core" where key == "eol" || key == "attributesfile": mayConvert = true
        case _ where section.hasPrefix("include"): mayConvert = true
        case "extensions": if extensions.count <= Self.mostExtensions { extensions[key] = value.lowercased() }
        default:
            guard section.hasPrefix("remote") else { return }
            if key == "promisor", !["false", "no", "off", "0"].contains(value.lowercased()) {
                hasPromisor = true
            }
            if key == "partialclonefilter" { hasPromisor = true }
        }
    }

    private static func value(_ text: ArraySlice<UInt8>) -> String? {
        var result: [UInt8] = []
        var isQuoted = false
        for byte in text.trimmed {
            if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if !isQuoted && (byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";")) {
                break
            } else {
                result.append(byte)
            }
        }
        return word(result[...].trimmed)
    }

    /// The object format, if everything that the repository demands of its readers is understood.
    ///
    /// - Returns: the format, or what is not understood, as a sentence.
    func objectFormat() -> Result<ObjectFormat, Unreadable> {
        guard (0...1).contains(formatVersion) else {
            return .failure(.init(why: "its format version \(formatVersion) is unknown"))
        }
        guard extensions.count <= Self.mostExtensions else {
            return .failure(.init(why: "it needs more than \(Self.mostExtensions) extensions"))
        }
        var format = ObjectFormat.sha1
        for (name, value) in extensions {
            switch name {
            case "objectformat":
                guard let known = ObjectFormat(rawValue: value) else {
                    return .failure(.init(why: "its object format is unknown"))
                }
                format = known
            case "refstorage":
                guard value == "files" else {
                    return .failure(.init(why: "its refs are not kept in files but as \(PathText.quoted(value))"))
                }
            case "noop", "noop-v1", "preciousobjects", "partialclone", "worktreeconfig", "relativeworktrees":
                break
            default:
                // Version 0 has no extensions that change how objects are read, whatever the configuration says.
                guard formatVersion == 0 else {
                    return .failure(.init(why: "it needs the extension \(PathText.quoted(name)), which is unknown"))
                }
            }
        }
        return .success(format)
    }

    struct Unreadable: Error, Equatable {
        let why: String
    }

    var isPartial: Bool { hasPromisor || extensions["partialclone"] != nil }
}

extension ArraySlice<UInt8> {
    /// Without spaces, tabs and carriage returns at both ends.
    fileprivate var trimmed: ArraySlice<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool {
            byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
        }
        var rest = drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        return rest
    }
}
