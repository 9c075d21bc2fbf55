internal import KeyStore
internal import Keys

/// Every setting, with its default. `config/keyvigil.toml` explains each; a test holds the two together.
struct Configuration: Equatable, Sendable {
    var store = StoreSettings()
    var keys = KeySettings()
    var lifecycle = LifecyclePolicy.standard
    var hygiene = HygienePolicy.standard
    var issuers = IssuerSettings()
    var scan = ScanSettings()
    var alerts = AlertRetention()
    var daemon = DaemonSettings()
    var socket = SocketSettings()
    var hooks = HookSettings()
    var fleet = FleetSettings()

    init() {}

    struct StoreSettings: Equatable, Sendable {
        var path = "/var/lib/keyvigil/keys.sqlite"
        /// Nil: `pepper` beside the store. The systemd credential `pepper` comes first.
        var pepper: String?

        /// The file of the pepper, where no credential is given.
        var pepperPath: String {
            if let pepper { return pepper }
            let directory = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            return (directory + ["pepper"]).joined(separator: "/")
        }
    }

    struct KeySettings: Equatable, Sendable {
        var brand = "kv"
        var defaultExpiry = ExpiryRequest.after(.days(90))
        var overlap = Period.zero
        /// The rotation period of a key that never expires, unless it or its issuer's profile has one; nil: none.
        var rotateEvery: Period? = .days(90)
    }

    struct IssuerSettings: Equatable, Sendable {
        /// Folders of issuer profiles (`NAME.toml`); a later one's profile replaces one of the same name.
        var folders = ["/usr/share/keyvigil/issuers", "/etc/keyvigil/issuers"]
    }

    struct ScanSettings: Equatable, Sendable {
        /// Paths and globs of git repositories.
        var repositories: [String] = []
        /// Paths and globs of folders that are no repositories.
        var folders: [String] = []
        /// Other places where keys are left on a server.
        var sources: [ScanSource] = []
        /// Nil: only on demand.
        var interval: Period? = .days(1)
        var threads = 2
        /// How long one place is searched before the next has its turn.
        var turn = Period.seconds(120)
        /// The same for a place that a change has reached; what takes longer goes on with the scan of everything.
        var pushTurn = Period.seconds(5)
        /// How many findings of one secret, or of the prefixes of one key, are listed of one place.
        var maxFindings = 500
        /// What a confirmed leak of a live key leads to, where no rule says otherwise.
        var onLeak = LeakAnswer.alert
        /// A place in which the secret of a revoked key is planted; each scan must find it there. Nil: none.
        var decoy: String?
        /// Whether files are searched that git ignores and does not track, where no rule says otherwise.
        var ignored = false
        /// Whether secrets of known forms are searched for that belong to no key, where no rule says otherwise.
        var unregistered = true
        /// What holds for some places only.
        var places: [PlaceRule] = []
    }

    /// What holds for the places that a path or pattern names. A nil leaves what holds for all.
    struct PlaceRule: Equatable, Sendable {
        var path = ""
        var onLeak: LeakAnswer?
        var ignored: Bool?
        var unregistered: Bool?
    }

    struct SocketSettings: Equatable, Sendable {
        /// Of each socket, at once.
        var connections = 4096
        /// The time after which a connection that has not completed a request is closed.
        var idle = Period.seconds(75)
        /// Headers in which a credential may be, besides `Authorization`.
        var credentialHeaders = ["X-API-Key"]
    }

    struct HookSettings: Equatable, Sendable {
        enum Unanswered: String, CaseIterable, Sendable {
            case refuse, allow
        }

        /// What a hook does that learns of the keys from nowhere.
        var unanswered = Unanswered.refuse
        /// How long it waits for an answer of the daemon.
        var patience = Period.seconds(3)
        /// Whether it refuses secrets of known forms that belong to no key, where no rule of a place says otherwise; nil: as
        /// ``ScanSettings/unregistered``.
        var unregistered: Bool?
    }

    /// What scans go by in hooks.
    var hookScan: ScanSettings {
        var settings = scan
        settings.unregistered = hooks.unregistered ?? scan.unregistered
        return settings
    }

    struct FleetSettings: Equatable, Sendable {
        /// The address of the fleet's database, without a password; nil: the store is this host's alone.
        var database: String?
        /// The name of this host; nil: the machine's.
        var host: String?
        /// How old what this host knows may be when it verifies; zero: each verification asks the database.
        var maxStaleness = Period.seconds(900)
        /// The hosts that report what is no host's own, such as dates, in this order; empty: the one that notices it first.
        var alertHosts: [String] = []
    }

    struct DaemonSettings: Equatable, Sendable {
        var sweepInterval = Period.seconds(300)
    }
}

/// Where the configuration is read from, and what was read.
struct LoadedConfiguration: Equatable, Sendable {
    var configuration = Configuration()
    /// The issuers whose profiles were read, and our own.
    var issuers = IssuerCatalog(brand: Configuration.KeySettings().brand)
    /// The files that were read, in order.
    var files: [String] = []
    /// The folders of profiles that were read, and the files in them.
    var profiles: [String] = []
    /// What was wrong in tables that the caller can do without; the settings in them have their defaults.
    var problems: [InputError] = []
}
