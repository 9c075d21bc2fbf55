/// The settings of journald that decide whether an entry is kept: journald.conf(5).
package struct JournalSettings: Hashable, Sendable {
    /// `Storage=none`: journald passes entries on, to syslog for instance, and keeps none.
    package private(set) var storesNothing = false

    /// Reads the settings from the files that journald reads: the main file first, then the drop-ins in the order of their
    /// names; of two of one name that in `/etc` counts before that in `/run`, and that before that of the vendor. What cannot
    /// be read sets nothing.
    ///
    /// - Parameters:
    ///   - namespace: of the journal; nil for the machine's own.
    ///   - root: the directory that is read in the place of `/`.
    package init(namespace: String? = nil, root: String = "") {
        let name = namespace.map { "systemd/journald@\($0).conf" } ?? "systemd/journald.conf"
        let folders = ["/etc/", "/run/", "/usr/local/lib/", "/usr/lib/", "/lib/"].map { root + $0 + name }
        if let main = folders.lazy.compactMap({ Self.lines(of: $0) }).first { apply(main) }
        var dropIns: [String: String] = [:]
        for folder in folders.map({ $0 + ".d" }) {
            for file in Directory.names(in: folder) where file.hasSuffix(".conf") && dropIns[file] == nil {
                dropIns[file] = folder + "/" + file
            }
        }
        for file in dropIns.sorted(by: { $0.key < $1.key }) { apply(Self.lines(of: file.value) ?? []) }
    }

    private mutating func apply(_ lines: [String]) {
        var section = ""
        for line in lines {
            if line.hasPrefix("[") { section = line }
            guard section == "[Journal]", let equals = line.firstIndex(of: "=") else { continue }
            let value = line[line.index(after: equals)...].drop { $0 == " " || $0 == "\t" }
            if line[..<equals].filter({ $0 != " " && $0 != "\t" }) == "Storage" { storesNothing = value == "none" }
        }
    }

    /// The lines of a file without blanks around them, comments and empty ones left out; nil where there is no file.
    private static func lines(of path: String) -> [String]? {
        guard let bytes = try? SmallFile.bytes(of: path) else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).compactMap { line in
            let trimmed = line.drop(while: \.isWhitespace)
            guard let first = trimmed.first, first != "#", first != ";" else { return nil }
            return String(trimmed.reversed().drop(while: \.isWhitespace).reversed())
        }
    }
}
