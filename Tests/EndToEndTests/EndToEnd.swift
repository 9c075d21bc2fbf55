import Testing

/// Everything that runs on a booted system: one after another, on one boot.
@Suite(
    "On a real systemd", .serialized, .booted,
    .enabled(if: BootedSystem.isPossible, "needs root that may make namespaces, systemd and util-linux"))
struct EndToEnd {}
