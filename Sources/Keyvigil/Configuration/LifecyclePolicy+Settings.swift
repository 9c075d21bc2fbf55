internal import Keys

/// A policy as a configuration has it.
extension LifecyclePolicy {
    /// One setting, as `keyvigil.toml` names it.
    struct Setting: Hashable {
        let table: String
        let name: String
        /// As it is written in the file.
        let value: String

        var path: String { "\(table).\(name)" }
    }

    /// All of it, in the order of the file.
    var settings: [Setting] {
        let notices = expiryNotices.map { "\"\($0)\"" }.joined(separator: ", ")
        return [
            Setting(table: "expiry", name: "notices", value: "[\(notices)]"),
            Setting(table: "rotation", name: "overdue_after", value: "\"\(overdueAfter)\""),
            Setting(table: "rotation", name: "due_at_percent_of_lifetime", value: String(lifetimeShare / 10)),
            Setting(table: "rotation", name: "shortest_rotated_lifetime", value: "\"\(shortestRotatedLifetime)\""),
            Setting(table: "hygiene", name: "unused_after", value: "\"\(unusedAfter?.description ?? "never")\""),
        ]
    }

    /// The settings as lines of a configuration.
    var lines: String {
        var text = ""
        var table: String?
        for setting in settings {
            if setting.table != table { text += "\(table == nil ? "" : "\n")[\(setting.table)]\n" }
            table = setting.table
            text += "\(setting.name) = \(setting.value)\n"
        }
        return text
    }

    /// The settings in which another policy differs, as words: `rotation.overdue_after = "7d" instead of "14d"`; empty where it does not.
    ///
    /// - Parameter other: the one that is described.
    func differences(of other: LifecyclePolicy) -> String {
        zip(other.settings, settings).filter { $0 != $1 }
            .map { "\($0.path) = \($0.value) instead of \($1.value)" }.joined(separator: ", ")
    }
}
