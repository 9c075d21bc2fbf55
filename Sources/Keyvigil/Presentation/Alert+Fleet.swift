internal import Fleet
internal import KeyStore
internal import Keys

/// The alerts of a member of a fleet.
extension Alert {
    /// The database can lose what it has acknowledged.
    init(_ weakness: FleetWeakness) {
        let (reason, remedy) =
            switch weakness {
            case .notSynced:
                (
                    "synchronous_commit is off, so the last changes are lost when the database's machine fails",
                    "on the database's machine: sudo -u postgres psql -c 'ALTER SYSTEM SET synchronous_commit = on' -c 'SELECT pg_reload_conf()'"
                )
            case .asynchronous:
                (
                    "the database has standbys, and waits for none of them, so the last changes are lost in a failover",
                    "on the database's machine: sudo -u postgres psql -c \"ALTER SYSTEM SET synchronous_standby_names = '*'\" "
                        + "-c 'SELECT pg_reload_conf()'; a commit then waits for a standby"
                )
            }
        self.init(
            kind: .storeWeak, priority: .warning,
            message: "the fleet's database can lose a revocation that it has acknowledged: \(words: reason)",
            fields: [.reason: reason, .remedy: remedy])
    }

    /// This host's copy of the fleet's tables had other rows than the database.
    ///
    /// - Parameter tables: the names of those that differed.
    init(copyOf host: HostIdentity, differedIn tables: [String]) {
        let names = tables.joined(separator: ", ")
        self.init(
            kind: .storeDiffers, priority: .error,
            message:
                "the copy of the host \(name: host.name) differed from the fleet's database and was read again: \(words: names)",
            fields: [
                .reason: "in the tables \(names)",
                .remedy:
                    "ls -la /var/lib/keyvigil; on the database's machine: sudo -u postgres psql -d keyvigil -c '\\dp keyvigil.*' -c '\\du'",
            ])
    }

    /// The configuration of this host has another policy than its fleet.
    ///
    /// - Parameter differences: in what it differs, as words.
    init(configurationDiffersBy differences: String) {
        self.init(
            kind: .configDiffers, priority: .warning,
            message:
                "the configuration of this host has other settings of notices and due dates than its fleet, whose settings apply: \(words: differences)",
            fields: [
                .reason: differences,
                .remedy:
                    "put the lines of the fleet into keyvigil.toml, and systemctl reload keyvigil; or make those of this host the "
                    + "fleet's: keyvigil fleet lifecycle --set",
            ])
    }

    /// Another machine is this host of the fleet.
    init(duplicateOf host: HostIdentity) {
        self.init(
            kind: .hostDuplicate, priority: .error,
            message:
                "another machine is the host \(name: host.name) of the fleet; this one changes nothing, and verifies nothing once its copy is too old",
            fields: [
                .reason: "another machine has said for two minutes that it is \(DisplayText.name(host.name))",
                .remedy:
                    "if this machine is a copy of it: systemctl stop 'keyvigil*', give it a name and a login of its own in [fleet], put "
                    + "its store aside, then keyvigil fleet join",
            ])
    }
}
