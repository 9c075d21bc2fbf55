internal import Fleet

/// Has this host search its places when a person asks all hosts of its fleet to, and says in the fleet's database how far that is.
///
/// A request is answered when a scan of everything that began after it was heard of has ended. What the database does not know yet it
/// hears with the next sign of life. It is used on one queue only.
struct FleetScans {
    private let database: FleetAuthority
    private let begin: (_ request: Int64) -> Void
    /// The number of paths and patterns in the configuration.
    var sources: Int
    private var heard: Int64?
    private var ended: FleetHostScan.End?
    /// What the database knows.
    private var said: FleetHostScan?

    /// - Parameter begin: asks for a scan of everything, whose end it passes on to ``noteEnd(_:)``.
    init(database: FleetAuthority, sources: Int, begin: @escaping (_ request: Int64) -> Void) {
        self.database = database
        self.sources = sources
        self.begin = begin
    }

    mutating func noteEnd(_ end: FleetHostScan.End) { ended = end }

    /// Looks after a sign of life whether a person has asked, and says what the database does not know.
    mutating func turn(of host: Int64) throws {
        // A database that was restored from a backup may count from an earlier number.
        if let request = database.scanRequest, request != heard {
            heard = request
            begin(request)
        }
        let scan = FleetHostScan(sources: Int64(sources), heard: heard, ended: ended)
        guard scan != said else { return }
        try database.note(scan, of: host)
        said = scan
    }
}
