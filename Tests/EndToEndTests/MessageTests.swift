import Foundation
import Testing

extension EndToEnd {
    /// What is said of a fault: by the journal, its explanation, the tool and its status. The command that resolves it is run as
    /// it is printed. What doctor alone says is in `SetupTests`.
    @Suite("What is said of faults", .timeLimit(.minutes(30)))
    struct MessageTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }

        init() throws {
            scene = try Scene()
            try system.check("chmod", "-R", "go+rX", "/srv/git")
        }

        struct Fault: CustomTestStringConvertible, Sendable {
            let testDescription: String
            /// What brings it about, while the service runs and has one key, `billing`.
            let cause: String
            /// The kind of entry, and what its message has.
            let event: String
            let journal: String
            /// What the explanation of the entry has (`journalctl -x`).
            let catalogue: String
            /// The lowest urgency of the entry: a warning, or a notice.
            var priority = 4
            /// The exit status of `keyvigil status`, and what it prints.
            let status: Int32
            let statusSays: String
            /// Whether the status no longer says so after the command.
            var isOver = true
            /// What doctor prints; nil where it finds nothing.
            let doctor: String?
            /// What a person does before, which no program can know.
            var correction = ""
            /// The command, as one of these prints it.
            let remedied: String
            /// The values of placeholders in the command, which only a person knows.
            var known: [String: String] = [:]
        }

        private static let settings = "/etc/keyvigil/conf.d/here.toml"
        private static let stop = "systemctl stop 'keyvigil*'"
        private static let backup = "rm -f /root/keys.sqlite; keyvigil backup /root/keys.sqlite"
        private static let reload = " && systemctl try-reload-or-restart keyvigil"

        /// Gives the system a wall clock of its own: see `clock.c`. A time service would set it right; there is no network.
        private static let ownClock = """
            cc -O2 -shared -fPIC \(BootedSystem.sourceInside)/Tests/EndToEndTests/Support/clock.c \
                -o /usr/lib/$(uname -m)-linux-gnu/keyvigil-test-clock.so
            mkdir /run/systemd/timesync
            touch /run/systemd/timesync/synchronized /usr/share/keyvigil-test-clock
            printf '#!/bin/sh\\n[ "$*" = "set-ntp true" ] && touch /run/systemd/timesync/synchronized && %s\\n' \
                ': > /usr/share/keyvigil-test-clock' > /usr/local/sbin/timedatectl
            chmod +x /usr/local/sbin/timedatectl
            echo /usr/lib/$(uname -m)-linux-gnu/keyvigil-test-clock.so > /etc/ld.so.preload

            """

        static let faults = [
            Fault(
                testDescription: "no time service has set the clock",
                cause: ownClock + "rm /run/systemd/timesync/synchronized; systemctl restart keyvigil",
                event: "clock.suspect", journal: "the clock is not synchronised", catalogue: "timedatectl status",
                priority: 5, status: 0, statusSays: "not synchronised by any time service: timedatectl set-ntp true",
                doctor: "no time service synchronises it", remedied: "timedatectl set-ntp true"),
            Fault(
                testDescription: "the clock shows a time before the program was built",
                cause: ownClock + "echo -630720000 > /usr/share/keyvigil-test-clock; systemctl restart keyvigil",
                event: "clock.suspect", journal: "before this program was built: nothing is recorded by it",
                catalogue: "Keys expire by this clock", status: 1,
                statusSays: "before this program was built, so nothing is recorded by it: timedatectl set-ntp true",
                doctor: "it is before this program was built", remedied: "timedatectl set-ntp true"),
            Fault(
                testDescription: "the clock was ahead, and is set back",
                cause: ownClock + """
                    keyvigil create brief --owner ana --expires 1d > /dev/null
                    echo 864000 > /usr/share/keyvigil-test-clock; systemctl restart keyvigil
                    until keyvigil status | grep -q '1 expired'; do sleep 0.1; done
                    timedatectl set-ntp true; systemctl restart keyvigil
                    """,
                event: "clock.changed", journal: "what it had recorded is taken back: 1 expiry, ",
                catalogue: "Keys that were created or edited meanwhile", status: 0, statusSays: "2 active, 0 expired",
                isOver: false, doctor: nil, remedied: "keyvigil audit --action record.taken_back"),
            Fault(
                testDescription: "the kernel has no watches left",
                // Of the service alone, by its user namespace: the limit of the machine stays as it is.
                cause: """
                    printf '#!/bin/sh\nnsenter -U -t "$(systemctl show -P MainPID keyvigil)" sh -c "%s"\n' \
                        'echo 1000 > /proc/sys/user/max_inotify_watches' > /usr/local/sbin/sysctl
                    chmod +x /usr/local/sbin/sysctl
                    nsenter -U -t "$(systemctl show -P MainPID keyvigil)" \
                        sh -c 'echo 1 > /proc/sys/user/max_inotify_watches'
                    git init -q --bare /srv/git/other.git; chmod -R go+rX /srv/git
                    """,
                event: "watch.degraded", journal: "noticed within a minute, not at once: the limit on inotify watches",
                catalogue: "sysctl fs.inotify.max_user_watches=1048576", status: 1,
                statusSays: "the limit on inotify watches is reached", doctor: "are noticed within a minute",
                remedied: "echo fs.inotify.max_user_watches=1048576 >> /etc/sysctl.d/60-keyvigil.conf"
                    + " && sysctl -p /etc/sysctl.d/60-keyvigil.conf && systemctl reload keyvigil"),
            Fault(
                testDescription: "a setting is misspelt at a start",
                cause: """
                    printf '[scan]\nrepositoris = []\n' > \(settings)
                    systemctl restart keyvigil || true
                    """,
                event: "config.rejected", journal: "here.toml:2: unknown setting 'scan.repositoris'",
                catalogue: "keyvigil check-config", status: 2, statusSays: "not running: systemctl start keyvigil",
                doctor: "did you mean 'repositories'?", correction: "sed -i s/repositoris/repositories/ \(settings)",
                remedied: "systemctl reload-or-restart keyvigil"),
            Fault(
                testDescription: "a setting is misspelt at a reload",
                cause: "printf '[scan]\nrepositoris = []\n' > \(settings); ! systemctl reload keyvigil",
                event: "config.rejected", journal: "the old one is in force: ",
                catalogue: "unknown setting 'scan.repositoris'", status: 1, statusSays: "did you mean 'repositories'?",
                doctor: "unknown setting 'scan.repositoris'",
                correction: "sed -i s/repositoris/repositories/ \(settings)",
                remedied: "keyvigil check-config && systemctl reload keyvigil"),
            Fault(
                testDescription: "the service may not read the configuration",
                cause: "chmod 600 \(settings); systemctl restart keyvigil || true",
                event: "config.rejected", journal: "here.toml cannot be read: permission denied",
                catalogue: "keyvigil check-config", status: 2, statusSays: "as root, this prints the command",
                doctor: "permission denied for the user keyvigil",
                remedied: "setfacl -R -m u:keyvigil:rX,d:u:keyvigil:rX \(settings)\(reload)"),
            Fault(
                testDescription: "the pepper is open to others at a start",
                cause: "chmod 644 /var/lib/keyvigil/pepper; systemctl restart keyvigil || true",
                event: "store.unavailable", journal: "can be read or written by others than its owner",
                catalogue: "systemctl start keyvigil", status: 2, statusSays: "can be read or written by others",
                doctor: "can be read or written by others", remedied: "chmod 600 /var/lib/keyvigil/pepper"),
            Fault(
                testDescription: "the pepper is missing",
                cause: "\(stop); mv /var/lib/keyvigil/pepper /root/pepper; systemctl start keyvigil || true",
                event: "store.unavailable", journal: "the pepper /var/lib/keyvigil/pepper is missing",
                catalogue: "put your copy of it back", status: 2, statusSays: "put your copy of it back",
                doctor: "the pepper /var/lib/keyvigil/pepper is missing",
                remedied: "install -m 0600 COPY /var/lib/keyvigil/pepper"
                    + " && chown --reference=/var/lib/keyvigil /var/lib/keyvigil/pepper",
                known: ["COPY": "/root/pepper"]),
            Fault(
                testDescription: "the store is missing at a start",
                cause: "\(backup); \(stop); rm /var/lib/keyvigil/keys.sqlite*; systemctl start keyvigil || true",
                event: "store.unavailable", journal: "is missing, but there was one",
                catalogue: "put the latest backup in its place", status: 2, statusSays: "keyvigil restore FILE",
                doctor: "is missing, but there was one", remedied: "keyvigil restore FILE",
                known: ["FILE": "/root/keys.sqlite"]),
            Fault(
                testDescription: "the store is removed",
                cause: "\(backup); rm /var/lib/keyvigil/keys.sqlite*",
                event: "store.damaged", journal: "was removed while keyvigild had it open",
                catalogue: "its file was removed", status: 2, statusSays: "is missing, but there was one",
                doctor: "is missing, but there was one", remedied: "keyvigil restore FILE",
                known: ["FILE": "/root/keys.sqlite"]),
            Fault(
                testDescription: "the store is damaged",
                cause: """
                    \(backup); \(stop)
                    head -c 8000 /dev/zero | dd of=/var/lib/keyvigil/keys.sqlite bs=1 seek=4096 conv=notrunc 2> /dev/null
                    systemctl start keyvigil || true
                    """,
                event: "store.damaged", journal: "is damaged: ", catalogue: "cp -a /var/lib/keyvigil",
                status: 2, statusSays: "is damaged", doctor: "systemctl stop 'keyvigil*'",
                remedied: "keyvigil restore FILE", known: ["FILE": "/root/keys.sqlite"]),
            Fault(
                testDescription: "the store is root's",
                cause: "\(stop); chown root /var/lib/keyvigil/keys.sqlite; systemctl start keyvigil || true",
                event: "store.unavailable", journal: "keys.sqlite cannot be read: permission denied",
                catalogue: "systemctl start keyvigil", status: 2, statusSays: "permission denied",
                doctor: "permission denied",
                remedied: "chown -h --reference=/var/lib/keyvigil /var/lib/keyvigil/keys.sqlite"),
            Fault(
                testDescription: "the record of a key was changed",
                cause: """
                    sqlite3 -cmd '.timeout 5000' /var/lib/keyvigil/keys.sqlite "UPDATE keys SET permissions = '*'"
                    systemctl restart keyvigil
                    """,
                event: "store.tampered", journal: "was changed by something other than Keyvigil",
                catalogue: "keyvigil audit verify", status: 1, statusSays: "was changed by something other",
                doctor: nil, remedied: "keyvigil revoke KEY"),
            Fault(
                testDescription: "an older copy of the store is put in its place",
                cause: """
                    \(stop); cp -a /var/lib/keyvigil/keys.sqlite /root/old.sqlite; systemctl start keyvigil
                    keyvigil revoke billing --yes; \(stop)
                    rm -f /var/lib/keyvigil/keys.sqlite-*; cp -a /root/old.sqlite /var/lib/keyvigil/keys.sqlite
                    systemctl start keyvigil
                    """,
                event: "store.rolled_back", journal: "on hold until a person decides: 'billing'",
                catalogue: "keyvigil release ID", status: 1, statusSays: "1 on_hold: keyvigil list --flag on_hold",
                doctor: nil, remedied: "keyvigil revoke ID", known: ["ID": "billing"]),
            Fault(
                testDescription: "a repository cannot be read",
                cause: "chmod -R go= /srv/git/shop.git; systemctl kill --kill-whom=main -s USR1 keyvigil",
                event: "scan.failed", journal: "ermission denied", catalogue: "setfacl", status: 1,
                statusSays: "shop.git  tried", doctor: "permission denied for the user keyvigil",
                remedied: "setfacl -R -m u:keyvigil:rX,d:u:keyvigil:rX /srv/git/shop.git\(reload)"),
            Fault(
                testDescription: "the folder of a pattern cannot be read",
                cause: "chmod 700 /srv/git; systemctl restart keyvigil",
                event: "scan.failed", journal: "it is not known what the pattern /srv/git/*.git matches",
                catalogue: "keyvigil check-config prints the command", status: 1,
                statusSays: "watched      /srv/git/*.git  tried", doctor: "/srv/git: permission denied for the user",
                remedied: "setfacl -R -m u:keyvigil:rX,d:u:keyvigil:rX /srv/git\(reload)"),
            Fault(
                testDescription: "a pattern matches nothing",
                cause: "sed -i s,/git/,/gti/, \(settings); systemctl reload keyvigil",
                event: "scan.failed", journal: "nothing matches the pattern /srv/gti/*.git",
                catalogue: "Watched: '/srv/gti/*.git'", status: 1, statusSays: "nothing matches the pattern",
                doctor: "check the pattern", correction: "sed -i s,/gti/,/git/, \(settings)",
                remedied: "systemctl reload keyvigil"),
            Fault(
                testDescription: "a place is not there",
                cause: "printf 'folders = [\"/srv/gone\"]\n' >> \(settings); systemctl reload keyvigil",
                event: "scan.failed", journal: "there is nothing at /srv/gone",
                catalogue: "remove it from the configuration", status: 1, statusSays: "there is nothing at /srv/gone",
                doctor: "there is nothing at /srv/gone", correction: "sed -i /folders/d \(settings)",
                remedied: "systemctl reload keyvigil"),
            Fault(
                testDescription: "the decoy is gone",
                cause: """
                    keyvigil init --only-decoy; systemctl reload keyvigil
                    rm /srv/keyvigil-decoy/planted.env; systemctl kill --kill-whom=main -s USR1 keyvigil
                    """,
                event: "scan.failed", journal: "/srv/keyvigil-decoy is empty", catalogue: "was not searched",
                status: 1, statusSays: "/srv/keyvigil-decoy is empty",
                doctor: "nothing is planted in /srv/keyvigil-decoy",
                remedied: "keyvigil init --only-decoy && systemctl reload keyvigil"),
            Fault(
                testDescription: "the library of the sockets is missing",
                // There is no network: what apt would bring is put back.
                cause: """
                    mkdir -p /srv/away; mv /usr/lib/*/libmicrohttpd.so.12* /srv/away
                    printf '#!/bin/sh\n[ "$*" = "install libmicrohttpd12" ] && mv /srv/away/* /usr/lib/*-linux-gnu/\n' \
                        > /usr/local/sbin/apt
                    chmod +x /usr/local/sbin/apt
                    systemctl restart keyvigil
                    curl -s --max-time 20 --unix-socket /run/keyvigil/keyvigil.sock http://localhost/ || true
                    """,
                event: "socket.unavailable", journal: "libmicrohttpd.so.12 cannot be loaded",
                catalogue: "apt install libmicrohttpd12", status: 1, statusSays: "libmicrohttpd.so.12 cannot be loaded",
                doctor: "libmicrohttpd.so.12, cannot be loaded",
                remedied: "apt install libmicrohttpd12 && systemctl restart keyvigil"),
        ]

        @Test(
            "each says what happened and what to do, and a start that cannot succeed is tried once", arguments: faults)
        func said(_ fault: Fault) throws {
            try scene.start()
            let key = try #require(
                try scene.create("billing", "--owner", "ana", "--permission", "read")["id"] as? String)
            try system.check("sh", "-ec", fault.cause)
            let entry = try #require(
                try system.waitForJournal("KEYVIGIL_EVENT=\(fault.event)") { entries in
                    entries.contains { $0["MESSAGE"]?.contains(fault.journal) == true }
                }.last)
            #expect(try #require(Int(entry["PRIORITY"] ?? "")) <= fault.priority, "\(entry)")
            let id = try #require(entry["KEYVIGIL_ALERT_ID"])
            let explained = try system.check("journalctl", "-x", "-q", "--no-pager", "KEYVIGIL_ALERT_ID=\(id)")
            #expect(explained.contains(fault.catalogue), "\(explained)")
            let status = try system.run(["keyvigil", "status"])
            let shown = status.output + status.errors
            #expect(status.status == fault.status && shown.contains(fault.statusSays), "\(status)")
            let examined = try system.run(["keyvigil", "doctor"])
            if let doctor = fault.doctor { #expect(examined.output.contains(doctor), "\(examined)") }
            #expect(!examined.output.contains("a credential of the unit"), "\(examined)")
            #expect(!(shown + examined.output + examined.errors).contains("{not shown}"))
            // As printed, with the values of its placeholders.
            var command = fault.remedied.replacing("KEY", with: key)
            #expect((explained + shown + examined.output).contains(command), "\(command)")
            for (word, value) in fault.known { command = command.replacing(word, with: value) }
            #expect(try system.check("systemctl", "show", "-P", "NRestarts", "keyvigil") == "0\n")
            // Nothing that is printed first keeps the service from the store meanwhile.
            if explained.contains(Self.stop) { try system.check("sh", "-ec", Self.stop) }
            try system.check("sh", "-ec", fault.correction)
            try system.run(["systemctl", "reset-failed", "keyvigil"])
            try system.check("sh", "-ec", command)
            try scene.start()
            try scene.signal("USR1")
            // Until everything is searched again.
            let after = try system.run([
                "timeout", "30", "sh", "-c", "until said=$(keyvigil status); do sleep 0.1; done; echo \"$said\"",
            ])
            #expect(after.status == 0 && !after.output.contains("trouble"), "\(command): \(shown)")
            #expect(!fault.isOver || !after.output.contains(fault.statusSays), "\(command): \(after)")
            if let doctor = fault.doctor {
                #expect(try !system.run(["keyvigil", "doctor"]).output.contains(doctor), "\(command)")
            }
        }

        @Test("a second daemon says on standard error that one runs, and leaves no trouble behind")
        func second() throws {
            try scene.start()
            let second = try system.run([
                "setpriv", "--reuid=keyvigil", "--regid=keyvigil", "--init-groups", "/usr/bin/keyvigild",
            ])
            #expect(second.status == 2 && second.errors.contains("another keyvigild is using the store"), "\(second)")
            for event in ["config.rejected", "store.unavailable"] {
                #expect(try system.journal("KEYVIGIL_EVENT=\(event)").isEmpty)
            }
            #expect(try !system.run(["keyvigil", "status"]).output.contains("trouble"))
        }
    }
}
