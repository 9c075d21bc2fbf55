internal import Keys

/// What a person has decided about a machine, as a file of settings.
struct SiteSettings {
    /// What the configuration says without that file.
    let base: Configuration
    var repositories: [String]
    var folders: [String]
    /// Who answers for the keys; then each key must name its owner.
    var owner: String?
    var expires: String
    var onLeak: String

    /// What the configuration says.
    init(over base: Configuration) {
        self.base = base
        repositories = base.scan.repositories
        folders = base.scan.folders
        expires = base.keys.defaultExpiry.description
        onLeak = base.scan.onLeak.rawValue
    }

    /// TOML, with the words of config/keyvigil.toml. What the configuration has set already is not written once more.
    var text: String {
        var lines = ["# Written by keyvigil init. Every setting is explained in keyvigil.toml(5)."]
        func add(_ table: String, _ settings: [String?]) {
            let settings = settings.compactMap(\.self)
            if !settings.isEmpty { lines += ["", "[\(table)]"] + settings }
        }
        func setting<Value: Equatable>(
            _ name: String, _ value: Value, of part: KeyPath<Configuration, Value>, as text: (Value) -> String
        ) -> String? {
            let isSet = base[keyPath: part] != Configuration()[keyPath: part]
            return isSet && value == base[keyPath: part] ? nil : "\(name) = \(text(value))"
        }
        add("keys", [setting("default_expiry", expires, of: \.keys.defaultExpiry.description, as: Self.quoted)])
        add("policy", [owner != nil && !base.hygiene.keys.requiresOwner ? "require_owner = true" : nil])
        add(
            "scan",
            [
                setting("repositories", repositories, of: \.scan.repositories, as: Self.list),
                setting("folders", folders, of: \.scan.folders, as: Self.list),
                setting("on_leak", onLeak, of: \.scan.onLeak.rawValue, as: Self.quoted),
            ])
        return lines.joined(separator: "\n") + "\n"
    }

    /// The file of the decoy: it stays when the others are written again.
    static func decoy(in folder: String) -> String {
        "# Written by keyvigil init. Each scan must find the secret that is planted there.\n[scan]\ndecoy = \(quoted(folder))\n"
    }

    private static func list(_ texts: [String]) -> String { "[" + texts.map(quoted).joined(separator: ", ") + "]" }

    /// A basic string of TOML.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
