internal import Errors
internal import KeyStore
internal import Keys
internal import SystemPackage
internal import Systemd

extension LoadedConfiguration {
    /// The path of the configuration unless `--config` says otherwise.
    static let standardPath = "/etc/keyvigil/keyvigil.toml"

    /// Reads a configuration file and then, in the order of their names, the files `conf.d/*.toml` beside it. A later
    /// file's settings replace those of an earlier one.
    ///
    /// - Parameters:
    ///   - required: whether a missing file is an error; else the defaults are in force.
    ///   - left: the path of a file that is not read.
    ///   - optional: the tables without which the caller goes on where something is wrong in them.
    ///   - readsAddresses: whether libpq reads the address of a fleet's database.
    /// - Throws: ``InputError`` with file, line and reason for what cannot be accepted; nothing is half read.
    static func load(
        _ path: String, required: Bool, without left: String? = nil, optional: Set<String> = [],
        readsAddresses: Bool = false
    ) throws(InputError) -> LoadedConfiguration {
        var loaded = LoadedConfiguration()
        guard let text = try read(path) else {
            if required {
                throw InputError(
                    "there is no configuration at \(path)", hint: "write it, or name another one: --config FILE")
            }
            try loaded.loadIssuers()
            return loaded
        }
        try loaded.apply(text, file: path, optional: optional, readsAddresses: readsAddresses)
        for file in try files(in: dropIns(of: path)) where file != left {
            guard let text = try read(file) else { continue }
            try loaded.apply(text, file: file, optional: optional, readsAddresses: readsAddresses)
        }
        try loaded.loadIssuers()
        return loaded
    }

    /// What a configuration that may be refused says of the store and the issuers: where the secrets are known that an error
    /// may quote. Profiles that are refused are left out.
    ///
    /// - Parameter store: overrides the configuration's.
    /// - Returns: nil if a file cannot be read that may say where the store is.
    static func ofSecrets(_ path: String, store: String?) -> LoadedConfiguration? {
        var loaded = LoadedConfiguration()
        for file in [path] + ((try? files(in: dropIns(of: path))) ?? []) {
            do {
                guard let text = try read(file) else { continue }
                let root = try SettingsTable(parsing: text, file: file)
                try root.table("store") { (table) throws(InputError) in try loaded.configuration.store.apply(table) }
                try? root.table("issuers") { (table) throws(InputError) in
                    try loaded.configuration.issuers.apply(table)
                }
            } catch {
                guard store != nil else { return nil }
            }
        }
        if let store { loaded.configuration.store = .init(path: store) }
        try? loaded.loadIssuers(leavingOutRefused: true)
        return loaded
    }

    /// Reads the profiles of the configured folders. A folder that is not there has none.
    private mutating func loadIssuers(leavingOutRefused: Bool = false) throws(InputError) {
        let brand = configuration.keys.brand
        issuers = IssuerCatalog(brand: brand)
        let hygiene = configuration.hygiene
        issuers.policy = hygiene.keys.withLifetime(upTo: hygiene.longestLifetime)
        for folder in configuration.issuers.folders {
            do throws(InputError) {
                let files = try Self.files(in: folder)
                profiles += [folder] + files
                for file in files {
                    do throws(InputError) {
                        guard let text = try Self.read(file) else { continue }
                        issuers.add(try IssuerProfile(parsing: text, file: file, ownBrand: brand))
                    } catch {
                        if !leavingOutRefused { throw error }
                    }
                }
            } catch {
                if !leavingOutRefused { throw error }
            }
        }
    }

    /// The folder with files that are read after a configuration.
    private static func dropIns(of path: String) -> String {
        FilePath(path).removingLastComponent().appending("conf.d").string
    }

    /// The files of a folder that are TOML, in the order of their names. A folder that is not there has none.
    private static func files(in folder: String) throws(InputError) -> [String] {
        do { return try Directory.list(folder).filter(isTOML).map { "\(folder)/\($0)" } } catch {
            guard error != .noSuchFileOrDirectory else { return [] }
            throw unreadable(folder, error)
        }
    }

    private static func isTOML(_ name: String) -> Bool { name.hasSuffix(".toml") && !name.hasPrefix(".") }

    /// The bytes of a file; nil where there is none.
    private static func read(_ path: String) throws(InputError) -> [UInt8]? {
        do { return try SmallFile.bytes(of: path) } catch {
            guard error != .noSuchFileOrDirectory else { return nil }
            throw unreadable(path, error)
        }
    }

    private static func unreadable(_ path: String, _ error: Errno) -> InputError {
        InputError(
            "\(path) cannot be read: \(SmallFile.reason(error))",
            hint: error == .permissionDenied
                ? "as root, this prints the command that lets the service read it: keyvigil check-config"
                : "see what is there: ls -ld \(argument: path)")
    }

    /// Takes over the settings of one file.
    mutating func apply(
        _ text: [UInt8], file: String, optional: Set<String> = [], readsAddresses: Bool = false
    ) throws(InputError) {
        let root = try SettingsTable(parsing: text, file: file, optional: optional)
        var configuration = self.configuration
        try root.table("store") { (table) throws(InputError) in try configuration.store.apply(table) }
        try root.table("keys") { (table) throws(InputError) in
            if let brand = try table.string(
                "brand", check: { (text) throws(InputError) in try SecretFormat(brand: text).brand })
            {
                configuration.keys.brand = brand
            }
            configuration.keys.defaultExpiry =
                try table.string(
                    "default_expiry",
                    check: { (text) throws(InputError) in
                        let request = try ExpiryRequest(parsing: text)
                        if request == .after(.zero) {
                            throw InputError("a key that expires at once is of no use", hint: "write 90d, or never")
                        }
                        return request
                    })
                ?? configuration.keys.defaultExpiry
            configuration.keys.overlap = try table.period("overlap") ?? configuration.keys.overlap
        }
        try root.table("expiry") { (table) throws(InputError) in
            if let notices = try table.strings("notices", check: Period.init(parsing:)) {
                configuration.lifecycle.expiryNotices = notices.sorted(by: >)
            }
        }
        try root.table("policy") { (table) throws(InputError) in
            var policy = configuration.hygiene.keys
            policy.requiresOwner = try table.boolean("require_owner") ?? policy.requiresOwner
            if let period = try table.periodOrNever("longest_lifetime", atLeast: .seconds(1)) {
                policy.longestLifetime = period.value
            }
            if let period = try table.periodOrNever("longest_overlap") { policy.longestOverlap = period.value }
            configuration.hygiene.keys = policy
        }
        try root.table("rotation") { (table) throws(InputError) in
            if let period = try table.periodOrNever("every", atLeast: .seconds(1)) {
                configuration.keys.rotateEvery = period.value
            }
            configuration.lifecycle.overdueAfter =
                try table.period("overdue_after") ?? configuration.lifecycle.overdueAfter
            if let percent = try table.integer("due_at_percent_of_lifetime", in: 0...99) {
                configuration.lifecycle.lifetimeShare = percent * 10
            }
            configuration.lifecycle.shortestRotatedLifetime =
                try table.period("shortest_rotated_lifetime") ?? configuration.lifecycle.shortestRotatedLifetime
        }
        try root.table("hygiene") { (table) throws(InputError) in
            if let period = try table.periodOrNever("unused_after", atLeast: .seconds(1)) {
                configuration.lifecycle.unusedAfter = period.value
            }
            if let period = try table.periodOrNever("never_used_after") {
                configuration.hygiene.neverUsedAfter = period.value
            }
            if let period = try table.periodOrNever("longest_lifetime", atLeast: .seconds(1)) {
                configuration.hygiene.longestLifetime = period.value
            }
            configuration.hygiene.shortestPrefix =
                try table.integer("shortest_prefix", in: 4...64) ?? configuration.hygiene.shortestPrefix
        }
        try root.table("issuers") { (table) throws(InputError) in
            try configuration.issuers.apply(table)
        }
        try root.table("scan") { (table) throws(InputError) in try configuration.scan.apply(table) }
        try root.table("alerts") { (table) throws(InputError) in
            if let period = try table.periodOrNever("keep") { configuration.alerts.keep = period.value }
            configuration.alerts.most = try table.integer("most", in: 1...10_000_000) ?? configuration.alerts.most
        }
        try root.table("daemon") { (table) throws(InputError) in
            configuration.daemon.sweepInterval =
                try table.period("sweep_interval", atLeast: .seconds(1)) ?? configuration.daemon.sweepInterval
        }
        try root.table("socket") { (table) throws(InputError) in try configuration.socket.apply(table) }
        try root.table("hooks") { (table) throws(InputError) in
            configuration.hooks.patience =
                try table.period("patience", atLeast: .seconds(1)) ?? configuration.hooks.patience
            configuration.hooks.unanswered =
                try table.string(
                    "unanswered",
                    check: { (text) throws(InputError) in
                        try InputError.word(text, "answer", Configuration.HookSettings.Unanswered.self)
                    }) ?? configuration.hooks.unanswered
            configuration.hooks.unregistered = try table.boolean("unregistered") ?? configuration.hooks.unregistered
        }
        try root.table("fleet") { (table) throws(InputError) in
            try configuration.fleet.apply(table, readsAddress: readsAddresses)
        }
        try root.refuseUnknown()
        problems += root.problems
        self.configuration = configuration
        files.append(file)
    }
}

extension Configuration.StoreSettings {
    /// Takes over the settings of `[store]`.
    fileprivate mutating func apply(_ table: SettingsTable) throws(InputError) {
        path = try table.path("path") ?? path
        pepper = try table.path("pepper") ?? pepper
    }
}

extension Configuration.IssuerSettings {
    /// Takes over the settings of `[issuers]`.
    fileprivate mutating func apply(_ table: SettingsTable) throws(InputError) {
        folders = try table.folders("folders", optional: Configuration.IssuerSettings().folders) ?? folders
    }
}

extension Configuration.SocketSettings {
    /// Takes over the settings of `[socket]`.
    fileprivate mutating func apply(_ table: SettingsTable) throws(InputError) {
        connections = try table.integer("connections", in: 64...16_384) ?? connections
        idle = try table.period("idle", atLeast: .seconds(1)) ?? idle
        credentialHeaders = try table.strings("credential_headers", check: Self.headerName) ?? credentialHeaders
    }

    private static func headerName(_ text: String) throws(InputError) -> String {
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"): true
            default: false
            }
        }
        guard isName, (1...64).contains(text.utf8.count) else {
            throw InputError(
                "\(DisplayText.quoted(text, limit: 100)) is not the name of a header",
                hint: "use letters, digits and hyphens, such as X-API-Key")
        }
        return text
    }
}
