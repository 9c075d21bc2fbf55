/// A location where the scanner found a prefix or a complete secret.
package struct Sighting: Hashable, Sendable {
    /// The row id of the first secret with the prefix.
    package var prefixID: Int64
    /// The row id of the known secret that is completely present, if there is one.
    package var secretID: Int64?
    /// The keyed hash of the candidate, if it is a complete body of the issuer's shape but not a known secret.
    package var candidate: SecretHash?
    package var source: String
    /// The repository that it is in, where that is another one than the place that was scanned: its path below the place, or a
    /// whole path where it lies elsewhere.
    package var repository: String?
    package var object: String?
    package var path: String?
    package var line: Int?
    package var column: Int?
    package var commit: String?
    package var author: String?
    /// RFC 3339 with the author's UTC offset.
    package var authoredAt: String?
    /// When the commit was made. Not stored.
    package var committedAt: Instant?
    package var isInHead: Bool
    /// Whether HEAD or a branch contains it at this path. Not stored.
    package var isAtTip: Bool
    /// It came in before the history that is here, so that no author can be named. Not remembered.
    package var isBeforeHistory = false
    package var objectCount: Int
    /// How the key is encoded there: `plain`, `base64` and so on.
    package var form: String
    /// The ids of the git objects that contain it, as far as the scan reported them.
    package var objects: [String]
    /// What makes two sightings the same finding: the path where there is one, so that the versions of a file, and its
    /// copy in the worktree, are reported once; else the object. With the repository, where that is not the place itself.
    package var place: String
    /// The row id of the expected place of its key that it is in; nil where it is in none.
    package var expectedID: Int64?
    /// The place as versions wrote it that did not hide secrets in names; nil where it is the same.
    package var formerPlace: String?

    package init(
        prefixID: Int64, secretID: Int64?, candidate: SecretHash? = nil, source: String, repository: String? = nil,
        object: String?, path: String?, line: Int?, column: Int?,
        commit: String?, author: String?, authoredAt: String?, isInHead: Bool, objectCount: Int,
        form: String = "plain", objects: [String] = [], place: String, formerPlace: String? = nil,
        isAtTip: Bool = false
    ) {
        self.prefixID = prefixID
        self.secretID = secretID
        self.candidate = candidate
        self.source = source
        self.repository = repository
        self.object = object
        self.path = path
        self.line = line
        self.column = column
        self.commit = commit
        self.author = author
        self.authoredAt = authoredAt
        self.isInHead = isInHead
        self.isAtTip = isAtTip
        self.objectCount = objectCount
        self.form = form
        self.objects = objects
        self.place = place
        self.formerPlace = formerPlace
    }
}

extension Sighting {
    /// ``place`` for a file's content at a path.
    package static func place(ofPath path: String, in repository: String?) -> String {
        "path:" + (repository.map { "\($0)//" } ?? "") + path
    }

    /// The path of the repository, or of the place where that is none or the repository itself.
    package func repositoryPath(in place: String) -> String { Self.repositoryPath(repository, in: place) }

    /// The path of a repository that is named as ``repository`` does.
    package static func repositoryPath(_ repository: String?, in place: String) -> String {
        guard let repository else { return place }
        if repository.hasPrefix("/") { return hostPrefix(of: place) + repository }
        return (place.hasSuffix("/") ? place : place + "/") + repository
    }

    /// What the name of a place on another host of the fleet begins with: `HOST:`. Empty for a place on this host.
    private static func hostPrefix(of place: String) -> Substring {
        guard !place.hasPrefix("/"), let colon = place.firstIndex(of: ":"),
            place[place.index(after: colon)...].hasPrefix("/")
        else { return "" }
        return place[...colon]
    }

    /// Whether the name of a place, or of a repository in it, is that of one on another host of the fleet.
    package static func isOnOtherHost(_ place: String) -> Bool { !hostPrefix(of: place).isEmpty }

    /// Whether it is in something that can change, and not in the history of a repository: a file, its name, or the journal.
    package var isOutsideHistory: Bool { ["worktree", "file", "name", "journal"].contains(source) }

    package var grade: FindingGrade { secretID != nil ? .confirmed : candidate != nil ? .probable : .mention }
}

/// A sighting as the store keeps it.
package struct Finding: Hashable, Sendable {
    package enum Status: String, Hashable, Sendable {
        case open, resolved, dismissed
        /// Its place is no longer watched, so that nothing is known of it.
        case unwatched
    }

    package let id: Int64
    /// The watched place.
    package let repository: String
    /// The host of the fleet that the place is on; nil for a store without a fleet.
    package let host: String?
    package let keyID: String
    package let keyName: String
    package let owner: String?
    package let issuer: String
    package let prefix: String
    /// What is known of the secret; for a mention and a probable finding, of the secret to which the prefix belongs.
    package let condition: SecretCondition
    package let status: Status
    package let sighting: Sighting
    /// Where it came in, and with which commit, where the file was moved since.
    package let first: Origin?
    package let firstSeenAt: Instant
    package let lastSeenAt: Instant
    /// Who dismissed it, if someone did.
    package let dismissal: Dismissal?
    /// Whether it is where the key is meant to be.
    package let isExpected: Bool
    /// The number of the incident of its secret; nil unless it is confirmed.
    package let incident: Int64?

    package init(
        id: Int64, repository: String, host: String? = nil, keyID: String, keyName: String, owner: String?,
        issuer: String, prefix: String, condition: SecretCondition, status: Status, sighting: Sighting, first: Origin?,
        firstSeenAt: Instant,
        lastSeenAt: Instant, dismissal: Dismissal?, isExpected: Bool = false,
        incident: Int64? = nil
    ) {
        self.id = id
        self.repository = repository
        self.host = host
        self.keyID = keyID
        self.keyName = keyName
        self.owner = owner
        self.issuer = issuer
        self.prefix = prefix
        self.condition = condition
        self.status = status
        self.sighting = sighting
        self.first = first
        self.firstSeenAt = firstSeenAt
        self.lastSeenAt = lastSeenAt
        self.dismissal = dismissal
        self.isExpected = isExpected
        self.incident = incident
    }

    package var grade: FindingGrade { sighting.grade }
    package var isConfirmed: Bool { grade == .confirmed }
    /// The recorded state of the secret.
    package var secretState: SecretGrade { condition.grade }

    /// Where a file was first that was moved since, and who brought it in there.
    package struct Origin: Hashable, Sendable {
        package let path: String
        package let commit: String?
        package let author: String?
        /// RFC 3339 in the author's own offset.
        package let authoredAt: String?

        package init(path: String, commit: String?, author: String?, authoredAt: String?) {
            self.path = path
            self.commit = commit
            self.author = author
            self.authoredAt = authoredAt
        }
    }

    /// The sighting as it was before the file was moved; nil where it was not, or is back.
    package var firstSighting: Sighting? {
        guard let first, first.path != sighting.path else { return nil }
        var before = sighting
        before.path = first.path
        before.commit = first.commit
        before.author = first.author
        before.authoredAt = first.authoredAt
        before.isInHead = false
        before.place = Sighting.place(ofPath: first.path, in: before.repository)
        return before
    }

    /// That a finding was set aside, by whom and why.
    package struct Dismissal: Hashable, Sendable {
        package let at: Instant
        package let uid: UInt32
        package let program: String
        package let reason: String

        package init(at: Instant, uid: UInt32, program: String, reason: String) {
            self.at = at
            self.uid = uid
            self.program = program
            self.reason = reason
        }
    }
}

/// What follows a confirmed leak of a working key, for a watched path (`on_leak`).
package enum LeakAnswer: String, CaseIterable, Hashable, Sendable {
    /// An alert.
    case alert
    /// An alert, and revocation of the key unless only its issuer can revoke it.
    case revoke
}
