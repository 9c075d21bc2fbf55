internal import Keys

/// What a person has decided about a machine, as a file of settings.
struct SiteSettings {
    var repositories: [String]
    var folders: [String]
    /// Who answers for the keys; then each key must name its owner.
    var owner: String?
    var expires: String
    var onLeak: String

    /// TOML, with the words of config/keyvigil.toml.
    var text: String {
        var lines = ["# Written by keyvigil init. Every setting is explained in keyvigil.toml(5).", ""]
        lines += ["[keys]", "default_expiry = \(Self.quoted(expires))", ""]
        if owner != nil { lines += ["[policy]", "require_owner = true", ""] }
        lines += ["[scan]", "repositories = \(Self.list(repositories))", "folders = \(Self.list(folders))"]
        lines.append("on_leak = \(Self.quoted(onLeak))")
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
