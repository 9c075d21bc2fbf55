import Foundation
import Testing

extension EndToEndFaults {
    /// What pushers and owners of repositories do to whoever scans them, while a leak is pushed to the repository of another. Small
    /// by default; `make hostile` makes it as large as it gets, and prints the figures of docs/RELIABILITY.md.
    @Suite("Hostile repositories", .timeLimit(.minutes(30)))
    struct HostileCorpusTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }
        private static let isLarge = ProcessInfo.processInfo.environment["KEYVIGIL_HOSTILE"] != nil
        private static let generator = BootedSystem.sourceInside + "/Tests/EndToEndTests/Support/hostile.py"
        private static let place = "/srv/git/hostile.git"
        /// How long a test that has failed is waited for, in seconds.
        private static let patience = isLarge ? 900 : 120

        /// One function of `hostile.py`, and how much of it is made.
        struct Attack: CustomTestStringConvertible, Sendable {
            let name: String
            let small: Int
            let large: Int
            /// Whether it goes on while the leak is pushed.
            var goesOn = false

            var testDescription: String { name }
        }

        static let attacks = [
            Attack(name: "bomb", small: 10, large: 2000),
            Attack(name: "paths", small: 600, large: 200_000),
            Attack(name: "names", small: 1, large: 100),
            Attack(name: "false_names", small: 50, large: 100_000),
            Attack(name: "index", small: 500, large: 60_000),
            Attack(name: "large_tree", small: 5_000, large: 3_000_000),
            Attack(name: "packed_refs", small: 5_000, large: 5_000_000),
            Attack(name: "ref_folders", small: 500, large: 1_000_000),
            Attack(name: "multi_pack_index", small: 5, large: 2_000),
            Attack(name: "ignores", small: 50, large: 3_000),
            Attack(name: "pipes", small: 500, large: 500_000),
            Attack(name: "config", small: 100_000, large: 16_000_000),
            Attack(name: "sparse", small: 1 << 30, large: 1 << 40),
            Attack(name: "repositories", small: 30, large: 10_000),
            Attack(name: "missing", small: 500, large: 100_000),
            Attack(name: "storm", small: 500, large: 100_000, goesOn: true),
            Attack(name: "passing", small: 20, large: 2_000, goesOn: true),
        ]

        init() throws { scene = try Scene() }

        @Test("a leak in another repository is reported meanwhile, and the daemon lives on", arguments: attacks)
        func leak(_ attack: Attack) throws {
            try scene.start()
            let made = try scene.create("billing")
            let secret = try #require(made["secret"] as? String)
            try system.waitForJournal("KEYVIGIL_EVENT=scan.finished")
            let arguments = [
                "python3", Self.generator, attack.name, "\(Self.isLarge ? attack.large : attack.small)", Self.place,
                try #require(made["prefix"] as? String),
            ]
            var maker: Program?
            defer { maker?.cancel() }
            if attack.goesOn {
                maker = try system.start(arguments, seconds: Self.patience)
                #expect(maker?.line() == "ready")
            } else {
                let outcome = try system.run(arguments, seconds: Self.patience)
                try #require(outcome.status == 0, "\(outcome.errors)")
            }
            try scene.signal("USR1")
            try scene.push("a.py", "k = \(secret)")
            let pushed = try #require(Double(try system.check("date", "+%s%6N").trimmingCharacters(in: .newlines)))
            let entries = try system.waitForJournal(
                "KEYVIGIL_EVENT=leak.confirmed", "KEYVIGIL_REPOSITORY=\(Scene.repository)", seconds: Self.patience)
            let time = entries.first?["__REALTIME_TIMESTAMP"].flatMap(Double.init) ?? 0
            // Until all of it was looked at, or is known to take longer than a turn.
            try system.waitForJournal("KEYVIGIL_EVENT=scan.finished", seconds: Self.patience) { $0.count >= 2 }
            let peak = try #require(Int(try system.check("sh", "-c", Self.peakScript).filter(\.isNumber)))
            print(
                "hostile: | \(attack.name) |",
                String(format: "%.2f s | %d MB |", max(0, time - pushed) / 1_000_000, peak / 1024))
            #expect(peak < 400_000, "the daemon took \(peak) kB")
            #expect(try system.check("systemctl", "show", "-P", "NRestarts", "keyvigil") == "0\n")
            #expect(try system.run(["systemctl", "is-active", "-q", "keyvigil"]).status == 0)
        }

        /// The most memory that the daemon has had, mapped files included.
        private static let peakScript = "grep VmHWM /proc/$(systemctl show -P MainPID keyvigil)/status"

        @Test("a push of a bomb with odd ref names ends, in little memory, and is answered in plain words")
        func hook() throws {
            try scene.start()
            let made = try scene.create("billing")
            let hook = "\(Scene.repository)/hooks/pre-receive"
            try system.check("install", "/usr/share/keyvigil/hooks/pre-receive", hook)
            let outcome = try system.run(
                [
                    "python3", Self.generator, "hook", Self.isLarge ? "2000" : "10", Scene.repository,
                    try #require(made["prefix"] as? String),
                ], seconds: Self.patience)
            let lines = outcome.output.split(separator: "\n")
            let figures = lines[0].split(separator: " ").compactMap { Double($0) }
            try #require(figures.count == 3, "\(outcome)")
            print("hostile: | hook | \(figures[1]) s | \(Int(figures[2])) MB |")
            // A prefix alone is accepted, and shown; no byte of a name reaches the pusher's terminal as it is.
            #expect(figures[0] == 0 && figures[2] < 400, "\(outcome.output)")
            #expect(outcome.output.contains("mention") && !outcome.output.contains("\u{202e}"), "\(outcome.output)")
        }
    }
}
