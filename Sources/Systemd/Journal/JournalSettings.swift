/// The settings of journald that decide whether an entry is kept: journald.conf(5).
package struct JournalSettings: Hashable, Sendable {
    /// `Storage=none`: journald forwards entries, for example to syslog, and stores none.
    package private(set) var storesNothing = false

    /// Reads the settings from the files that journald reads: the main file first, then the drop-ins in the order of
    /// their names. Of drop-ins with the same name, the one in `/etc` takes precedence over the one in `/run`, and that
    /// one over the vendor's. Files that cannot be read are ignored.
    ///
    /// - Parameters:
    ///   - namespace: the namespace of the journal; nil for the default one.
    ///   - root: the directory to read instead of `/`.
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

    /// The lines of a file without surrounding white space, comments and empty lines; nil if there is no file.
    private static func lines(of path: String) -> [String]? {
        guard let bytes = try? SmallFile.bytes(of: path) else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).compactMap { line in
            let trimmed = line.drop(while: \.isWhitespace)
            guard let first = trimmed.first, first != "#", first != ";" else { return nil }
            return String(trimmed.reversed().drop(while: \.isWhitespace).reversed())
        }
    }
}
