package import KeyStore
package import Keys

/// Every setting, with its default. `config/keyvigil.toml` explains each; a test holds the two together.
package struct Configuration: Equatable, Sendable {
    package var store = StoreSettings()
    package var keys = KeySettings()
    package var lifecycle = LifecyclePolicy.standard
    package var hygiene = HygienePolicy.standard
    package var issuers = IssuerSettings()
    package var scan = ScanSettings()
    package var alerts = AlertRetention()
    package var daemon = DaemonSettings()

    package init() {}

    package struct StoreSettings: Equatable, Sendable {
        package var path = "/var/lib/keyvigil/keys.sqlite"
        /// Nil: `pepper` beside the store. The systemd credential `pepper` comes first.
        package var pepper: String?

        /// The file of the pepper, where no credential is given.
        package var pepperPath: String {
            if let pepper { return pepper }
            let directory = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            return (directory + ["pepper"]).joined(separator: "/")
        }
    }

    package struct KeySettings: Equatable, Sendable {
        package var brand = "kv"
        package var defaultExpiry = ExpiryRequest.after(.days(90))
        package var overlap = Period.zero
        /// The rotation period of a key that never expires, unless it or its issuer's profile has one; nil: none.
        package var rotateEvery: Period? = .days(90)
    }

    package struct IssuerSettings: Equatable, Sendable {
        /// Folders of issuer profiles (`NAME.toml`); a later one's profile replaces one of the same name.
        package var folders = ["/usr/share/keyvigil/issuers", "/etc/keyvigil/issuers"]
    }

    package struct ScanSettings: Equatable, Sendable {
        /// Paths and globs of git repositories.
        package var repositories: [String] = []
        /// Paths and globs of folders that are no repositories.
        package var folders: [String] = []
        /// Nil: only on demand.
        package var interval: Period? = .days(1)
        package var threads = 2
        /// What a confirmed leak of a live key leads to, where no rule says otherwise.
        package var onLeak = LeakAnswer.alert
        /// A place in which the secret of a revoked key is planted; each scan must find it there. Nil: none.
        package var decoy: String?
        /// Whether files are searched that git ignores and does not track, where no rule says otherwise.
        package var ignored = false
        /// What holds for some places only.
        package var places: [PlaceRule] = []
    }

    /// What holds for the places that a path or pattern names. A nil leaves what holds for all.
    package struct PlaceRule: Equatable, Sendable {
        package var path = ""
        package var onLeak: LeakAnswer?
        package var ignored: Bool?
    }

    package struct DaemonSettings: Equatable, Sendable {
        package var sweepInterval = Period.seconds(300)
    }
}

/// Where the configuration is read from, and what was read.
package struct LoadedConfiguration: Equatable, Sendable {
    package var configuration = Configuration()
    /// The issuers whose profiles were read, and our own.
    package var issuers = IssuerCatalog(brand: Configuration.KeySettings().brand)
    /// The files that were read, in order.
    package var files: [String] = []
}
