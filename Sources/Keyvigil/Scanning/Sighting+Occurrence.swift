internal import KeyStore
internal import Keys
internal import LeakScan
internal import SystemPackage

extension Sighting {
    /// The scanner's record as the store keeps it.
    init(_ occurrence: Occurrence) {
        var secret: Int64?
        if case .confirmed(let id) = occurrence.grade { secret = id }
        let path = occurrence.path?.string
        self.init(
            prefixID: occurrence.term, secretID: secret, source: occurrence.source.rawValue, object: occurrence.object,
            path: path, line: occurrence.line, column: occurrence.column, commit: occurrence.commit,
            author: occurrence.author?.name, authoredAt: occurrence.author.map(Self.time),
            isInHead: occurrence.isInHead, objectCount: occurrence.objectCount, form: occurrence.form.name,
            objects: occurrence.objects, place: Self.place(of: occurrence, path: path), isAtTip: occurrence.isAtTip)
    }

    /// What makes two sightings one finding: all versions of a file, and its copy in the worktree, are one place.
    private static func place(of occurrence: Occurrence, path: String?) -> String {
        switch occurrence.source {
        case .worktree, .blob, .file:
            if let path { return "path:\(path)" }
            return "object:\(occurrence.object ?? "")"
        case .tree, .name:
            return "name:\(path ?? occurrence.object ?? "")"
        case .commit, .tag:
            return "\(occurrence.source.rawValue):\(occurrence.object ?? "")"
        case .ref, .gitdir:
            return "\(occurrence.source.rawValue):\(path ?? "")"
        }
    }

    /// RFC 3339 in the author's own offset. A date that lies outside the years 1970 to 9999 is shown as the nearest
    /// that does not.
    private static func time(of author: Occurrence.Author) -> String {
        let offset = min(max(author.offsetMinutes, -1439), 1439)
        let (seconds, overflow) = author.unixSeconds.addingReportingOverflow(Int64(offset) * 60)
        let bounded = overflow ? 0 : min(max(seconds, 0), Instant.latest.milliseconds / 1000)
        let local = Instant(milliseconds: bounded * 1000).description.dropLast()
        guard offset != 0 else { return local + "Z" }
        func pad(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return local + (offset < 0 ? "-" : "+") + pad(abs(offset) / 60) + ":" + pad(abs(offset) % 60)
    }
}
