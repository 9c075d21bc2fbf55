import Foundation
import Testing

extension EndToEnd {
    /// What is said of a fault: by the journal, its explanation, the tool and its status. The command that resolves it is run as
    /// the tool prints it.
    @Suite("What is said of faults", .timeLimit(.minutes(5)))
    struct MessageTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }

        init() throws {
            scene = try Scene()
            try system.check("chmod", "-R", "go+rX", "/srv/git")
        }

        struct Fault: CustomTestStringConvertible, Sendable {
            let testDescription: String
            /// What brings it about, while the service runs.
            let cause: String
            /// The kind of entry, and what its message has.
            let event: String
            let journal: String
            /// What the explanation of the entry has (`journalctl -x`).
            let catalogue: String
            /// The exit status of `keyvigil status`, and what it prints.
            let status: Int32
            let statusSays: String
            /// What prints the command, and what is right afterwards.
            let tool: [String]
            let remedied: String
        }

        static let faults = [
            Fault(
                testDescription: "a setting is misspelt at a start",
                cause: """
                    printf '[scan]\\nrepositoris = []\\n' > /etc/keyvigil/conf.d/here.toml
                    systemctl restart keyvigil || true
                    """,
                event: "config.rejected", journal: "here.toml:2: unknown setting 'scan.repositoris'",
                catalogue: "keyvigil check-config", status: 2, statusSays: "not running: systemctl start keyvigil",
                tool: ["keyvigil", "doctor"],
                remedied: "sed -i s/repositoris/repositories/ /etc/keyvigil/conf.d/here.toml"),
            Fault(
                testDescription: "the pepper is open to others at a start",
                cause: "chmod 644 /var/lib/keyvigil/pepper; systemctl restart keyvigil || true",
                event: "store.unavailable", journal: "can be read or written by others than its owner",
                catalogue: "chmod 600 /var/lib/keyvigil/pepper", status: 2,
                statusSays: "chmod 600 /var/lib/keyvigil/pepper",
                tool: ["keyvigil", "doctor"], remedied: "chmod 600 /var/lib/keyvigil/pepper"),
            Fault(
                testDescription: "a repository cannot be read",
                cause: """
                    chmod -R go= /srv/git/shop.git
                    systemctl kill --kill-whom=main -s USR1 keyvigil
                    """,
                event: "scan.failed", journal: "ermission denied", catalogue: "setfacl", status: 1,
                statusSays: "shop.git", tool: ["keyvigil", "check-config"],
                remedied: "setfacl -R -m u:keyvigil:rX,d:u:keyvigil:rX /srv/git/shop.git"),
        ]

        @Test(
            "each says what happened and what to do, and a start that cannot succeed is tried once", arguments: faults)
        func said(_ fault: Fault) throws {
            try scene.start()
            _ = try scene.create("billing", "--owner", "ana", "--permission", "read")
            try system.check("sh", "-ec", fault.cause)
            let entry = try #require(try system.waitForJournal("KEYVIGIL_EVENT=\(fault.event)").last)
            #expect(entry["MESSAGE"]?.contains(fault.journal) == true, "\(entry)")
            let id = try #require(entry["KEYVIGIL_ALERT_ID"])
            let explained = try system.check("journalctl", "-x", "-q", "--no-pager", "KEYVIGIL_ALERT_ID=\(id)")
            #expect(explained.contains(fault.catalogue), "\(explained)")
            let status = try system.run(["keyvigil", "status"])
            #expect(
                status.status == fault.status && (status.output + status.errors).contains(fault.statusSays), "\(status)"
            )
            let said = try system.run(fault.tool)
            let isNamed = (said.output + said.errors).contains(fault.remedied)
            #expect(isNamed || fault.remedied.hasPrefix("sed "), "\(said)")
            #expect(try system.check("systemctl", "show", "-P", "NRestarts", "keyvigil") == "0\n")
            // The command that was printed; a misspelt setting is for a person to correct.
            try system.check("sh", "-ec", fault.remedied)
            try scene.start()
            try scene.signal("USR1")
            try system.waitForJournal("KEYVIGIL_EVENT=scan.finished")
            let after = try system.run(["keyvigil", "doctor"])
            #expect(!(after.output + after.errors).contains(fault.journal), "\(after)")
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
