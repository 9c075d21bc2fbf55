// swift-tools-version: 6.2
import PackageDescription

// One place for the settings of every target of this package.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]

let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "keyvigil",
    products: [
        // The tool, and the daemon where it is called keyvigild.
        .executable(name: "keyvigil", targets: ["keyvigil"]),
        // For Swift servers that verify credentials in their own process.
        .library(name: "KeyVerification", targets: ["KeyVerification"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        // System libraries and the few lines of C that Swift's Glibc module lacks.
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(name: "CGcrypt", pkgConfig: "libgcrypt", providers: [.apt(["libgcrypt20-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CLinux"),
        // Loads libarchive when the first archive is met.
        .target(name: "CArchiveLoader"),
        // Loads libmicrohttpd when the first client connects.
        .target(name: "CMicrohttpdLoader"),
        // Loads libpq when a database is configured.
        .target(name: "CPostgreSQLLoader"),
        // Reads from mapped files that others may cut short.
        .target(name: "CMapping"),
        // Makes bits of bytes with vector instructions.
        .target(name: "CBlocks"),

        // What all errors are that a person reads.
        .target(name: "Errors"),
        // A reader of TOML 1.0, with no dependency at all.
        .target(name: "TOML"),
        // The arrows go one way: Errors <- { Keys, LeakScan, Systemd }, Keys <- KeyStore, Systemd <- HTTP, { PostgreSQL, KeyStore } <- Fleet,
        // and all <- Keyvigil.
        .target(name: "Keys", dependencies: ["Errors", "CGcrypt", "CLinux"]),
        .target(name: "KeyStore", dependencies: ["Keys", "Errors", "CSQLite", "CLinux", system]),
        // Optimised in debug builds too: its tests compare against a brute-force search of real repositories.
        .target(
            name: "LeakScan",
            dependencies: [
                "Errors", "CArchiveLoader", "CBlocks", "CDeflate", "CGcrypt", "CMapping", "CZlib", "CLinux", system,
            ],
            swiftSettings: [.unsafeFlags(["-O"], .when(configuration: .debug))]),
        .target(name: "Systemd", dependencies: ["Errors", "CSystemd", "CLinux", system]),
        .target(name: "PostgreSQL", dependencies: ["CPostgreSQLLoader"]),
        .target(name: "Fleet", dependencies: ["PostgreSQL", "KeyStore", "Keys", "Errors"]),
        .target(name: "HTTP", dependencies: ["Systemd", "CMicrohttpdLoader", "CLinux"]),
        .target(
            name: "Keyvigil",
            dependencies: [
                "Errors", "Keys", "KeyStore", "LeakScan", "Systemd", "HTTP", "TOML", "PostgreSQL", "Fleet", "CLinux",
                arguments, system,
            ]),
        .target(name: "KeyVerification", dependencies: ["Keys", "KeyStore", "Errors"]),
        .executableTarget(name: "keyvigil", dependencies: ["Keyvigil"], path: "Sources/Program"),

        .executableTarget(
            name: "StoreBenchmark", dependencies: ["KeyStore", "Keys", "CSQLite"], path: "Benchmarks/Store"),
        .executableTarget(
            name: "FleetBenchmark", dependencies: ["Fleet", "PostgreSQL", "PostgreSQLServer", "KeyStore", "Keys"],
            path: "Benchmarks/Fleet"),
        .executableTarget(
            name: "VerifierBenchmark", dependencies: ["KeyVerification", "KeyStore", "Keys"],
            path: "Benchmarks/Verifiers"),
        .executableTarget(
            name: "ScanBenchmark", dependencies: ["LeakScan", "CDeflate", system], path: "Benchmarks/Scan"),

        .testTarget(name: "TOMLTests", dependencies: ["TOML"]),
        .testTarget(name: "KeysTests", dependencies: ["Keys", "Errors"]),
        .testTarget(
            name: "KeyStoreTests",
            dependencies: ["KeyStore", "Keys", "Fleet", "PostgreSQL", "PostgreSQLServer", system], exclude: ["Fixtures"]
        ),
        .testTarget(name: "KeyVerificationTests", dependencies: ["KeyVerification", "KeyStore", "Keys"]),
        // The tests make archives with the other half of the library.
        .systemLibrary(
            name: "CArchive", path: "Tests/CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CSubstring", path: "Tests/CSubstring"),
        .target(name: "GitRunner", dependencies: [system], path: "Tests/GitRunner"),
        .testTarget(
            name: "LeakScanTests",
            dependencies: ["LeakScan", "Keys", "CArchive", "CBlocks", "CSubstring", "GitRunner", system]),
        // What reads foreign bytes is fed with damaged ones: by libFuzzer (make fuzz), and a little in every test run.
        .target(name: "CFuzzer", path: "Tests/Fuzz/CFuzzer"),
        .target(
            name: "FuzzTargets",
            dependencies: ["LeakScan", "Keys", "KeyStore", "Keyvigil", "Systemd", "TOML", "GitRunner", system],
            path: "Tests/Fuzz/Targets"),
        .executableTarget(name: "Fuzz", dependencies: ["FuzzTargets", "CFuzzer"], path: "Tests/Fuzz/Runner"),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets", "GitRunner", "LeakScan", system]),
        .testTarget(name: "SystemdTests", dependencies: ["Systemd", "SystemdProbe", "CLinux", system]),
        .testTarget(name: "HTTPTests", dependencies: ["HTTP"]),
        // A server of the tests' own.
        .target(
            name: "PostgreSQLServer", dependencies: ["PostgreSQL", "Fleet", "KeyStore", "Keys"],
            path: "Tests/PostgreSQLServer"),
        .testTarget(name: "PostgreSQLTests", dependencies: ["PostgreSQL", "PostgreSQLServer"]),
        .testTarget(
            name: "FleetTests",
            dependencies: [
                "Fleet", "Keyvigil", "KeyVerification", "PostgreSQL", "PostgreSQLServer", "KeyStore", "Keys",
            ]),
        // What only a process of its own can show: signals, limits of the process, another user's rights.
        .executableTarget(
            name: "SystemdProbe", dependencies: ["Systemd", "CLinux", system], path: "Tests/SystemdProbe"),
        .testTarget(
            name: "KeyvigilTests",
            dependencies: [
                "Keyvigil", "KeyStore", "Keys", "LeakScan", "Systemd", "PostgreSQL", "PostgreSQLServer", arguments,
            ]),
        .testTarget(
            name: "EndToEndTests", dependencies: ["SystemdProbe"],
            exclude: [
                "Support/boot.sh", "Support/clock.c", "Support/counted-work.c", "Support/hostile.py",
                "Support/image.sh",
                "Support/receivers.py",
            ]),
    ]
)

// Each module has a README, which is not a source.
for target in package.targets where target.type != .system && target.type != .test {
    if target.path?.hasPrefix("Sources/") ?? true { target.exclude.append("README.md") }
}

let inC: Set = ["CLinux", "CArchiveLoader", "CMicrohttpdLoader", "CPostgreSQLLoader", "CMapping", "CFuzzer"]
for target in package.targets where inC.contains(target.name) {
    target.cSettings = [.define("_FORTIFY_SOURCE", to: "2", .when(configuration: .release))]
}
for target in package.targets where target.type != .system && !inC.contains(target.name) {
    target.swiftSettings = (target.swiftSettings ?? []) + settings
}
