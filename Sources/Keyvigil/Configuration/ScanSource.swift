internal import Errors
internal import Keys

/// A kind of places outside of repositories where keys are left on a server (`[scan] sources`).
enum ScanSource: String, CaseIterable, Sendable {
    case etc, units, histories, containers, processes, journal

    /// The paths and patterns that are searched; what is not there is left out.
    var patterns: [String] {
        switch self {
        case .etc: ["/etc"]
        case .units:
            [
                "/etc/systemd", "/run/systemd/system", "/run/systemd/transient", "/run/systemd/generator",
                "/usr/local/lib/systemd",
            ] + HomeFolders.patterns.map { "\($0)/.config/systemd" }
        case .histories:
            HomeFolders.patterns.flatMap { home in
                [
                    ".*_history", ".*history", ".lesshst", ".viminfo", ".local/share/fish/fish_history",
                    ".local/state/*/history",
                ]
                .map { "\(home)/\($0)" }
            }
        case .containers:
            [
                "/var/lib/docker/containers", "/var/lib/docker/image", "/var/lib/docker/overlay2",
                "/var/lib/docker/volumes",
                "/var/lib/containers", "/var/lib/containerd", "/run/containerd",
            ]
        case .processes: ["/proc"]
        case .journal: ["/var/log/journal", "/run/log/journal"]
        }
    }

    /// The command by which the service gets the right to read what the source has.
    var remedy: String {
        guard self != .journal else {
            return "let the service read it, as its own unit does: systemctl cat keyvigil shows the drop-in that takes "
                + "SupplementaryGroups=systemd-journal away"
        }
        return "let the service read it: "
            + (self == .processes ? Self.installing("source-processes.conf") : Self.readingFiles)
    }

    /// The command by which the service gets the right to read the files of all users. Access control lists are no way to that: what they add to private
    /// files, such as keys of ssh, keeps other programs from using them.
    static let readingFiles = installing("source-files.conf")

    private static func installing(_ dropIn: String) -> String {
        "install -D -m 0644 -t /etc/systemd/system/keyvigil.service.d "
            + "\(argument: "/usr/share/doc/keyvigil/examples/" + dropIn) && systemctl daemon-reload && systemctl restart keyvigil"
    }

    init(checking text: String) throws(InputError) {
        guard let source = ScanSource(rawValue: text) else {
            let names = Self.allCases.map(\.rawValue)
            throw InputError(
                "\(DisplayText.quoted(text, limit: 100)) is no source",
                hint: DisplayText.suggestion(for: text, among: names) ?? "known are \(names.joined(separator: ", "))")
        }
        self = source
    }
}
