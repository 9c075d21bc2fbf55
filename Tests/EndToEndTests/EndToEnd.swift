import Testing

/// What runs on a booted system: one test after another, on one boot.
@Suite(
    "On a real systemd", .serialized, .booted,
    .enabled(if: BootedSystem.isPossible, "needs root that may make namespaces, systemd and util-linux"))
struct EndToEnd {}

/// The same on a second system, beside the first: tests that break what the daemon relies on, and mostly wait.
@Suite(
    "On a real systemd whose parts fail", .serialized, .booted,
    .enabled(if: BootedSystem.isPossible, "needs root that may make namespaces, systemd and util-linux"))
struct EndToEndFaults {}
