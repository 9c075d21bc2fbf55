internal import KeyStore
internal import Keys
internal import LeakScan
internal import SystemPackage

extension Sighting {
    /// The scanner's record as the store keeps it.
    ///
    /// - Parameters:
    ///   - target: what was scanned.
    ///   - mask: hides secrets in names.
    init(_ occurrence: Occurrence, in target: FilePath, _ mask: NameMask) {
        var secret: Int64?
        if case .confirmed(let id) = occurrence.grade { secret = id }
        let named = occurrence.path.flatMap { ProcessPath.named($0, in: target) }
        let path = (named ?? occurrence.path).map { mask.text($0) }
        let repository = Self.repository(of: occurrence, in: target).map { mask.text($0) }
        self.init(
            prefixID: occurrence.term, secretID: secret, source: occurrence.source.rawValue, repository: repository,
            object: occurrence.object, path: path, line: occurrence.line, column: occurrence.column,
            commit: occurrence.commit, author: occurrence.author.map { mask.text($0.name) },
            authoredAt: occurrence.author.map(Self.time), isInHead: occurrence.isInHead,
            objectCount: occurrence.objectCount, form: occurrence.form.name, objects: occurrence.objects,
            place: Self.place(of: occurrence, path: path, in: repository), isAtTip: occurrence.isAtTip)
        committedAt = occurrence.author.map { Self.instant($0.committedSeconds) }
        isBeforeHistory = occurrence.isBeforeHistory
        if let raw = occurrence.path, mask.hides(raw.bytes) {
            formerPlace = Self.place(of: occurrence, path: raw.string, in: nil)
        } else if occurrence.source == .gitdir, let path, path.hasPrefix(".git/") {
            formerPlace = Self.place(of: occurrence, path: String(path.dropFirst(".git/".count)), in: nil)
        }
    }

    /// The repository's path below the target; nil where it is the target, the whole path where it lies elsewhere.
    private static func repository(of occurrence: Occurrence, in target: FilePath) -> [UInt8]? {
        let (whole, place) = (occurrence.repository.bytes, target.bytes)
        guard whole != place else { return nil }
        let folder = place.last == UInt8(ascii: "/") ? place : place + [UInt8(ascii: "/")]
        return whole.starts(with: folder) ? Array(whole.dropFirst(folder.count)) : whole
    }

    /// What makes two sightings one finding: all versions of a file, and its copy in the worktree, are one place.
    private static func place(of occurrence: Occurrence, path: String?, in repository: String?) -> String {
        let inner = repository.map { "\($0)//" } ?? ""
        switch occurrence.source {
        case .worktree, .blob, .file:
            if let path { return Sighting.place(ofPath: path, in: repository) }
            return "object:\(occurrence.object ?? "")"
        case .tree, .name:
            return "name:\(inner)\(path ?? occurrence.object ?? "")"
        case .commit, .tag:
            return "\(occurrence.source.rawValue):\(occurrence.object ?? "")"
        case .ref, .gitdir, .journal:
            return "\(occurrence.source.rawValue):\(inner)\(path ?? "")"
        }
    }

    /// RFC 3339 in the author's own offset. A date that lies outside the years 1970 to 9999 is shown as the nearest
    /// that does not.
    private static func time(of author: Occurrence.Author) -> String {
        let offset = min(max(author.offsetMinutes, -1439), 1439)
        let (seconds, overflow) = author.unixSeconds.addingReportingOverflow(Int64(offset) * 60)
        let local = instant(overflow ? 0 : seconds).description.dropLast()
        guard offset != 0 else { return local + "Z" }
        func pad(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return local + (offset < 0 ? "-" : "+") + pad(abs(offset) / 60) + ":" + pad(abs(offset) % 60)
    }

    /// The nearest date of the years 1970 to 9999.
    private static func instant(_ unixSeconds: Int64) -> Instant {
        Instant(milliseconds: min(max(unixSeconds, 0), Instant.latest.milliseconds / 1000) * 1000)
    }
}
