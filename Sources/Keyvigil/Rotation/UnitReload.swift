internal import Keys
internal import Systemd

/// Has services read their configuration again, or starts them anew: `systemctl try-reload-or-restart`.
enum UnitReload {
    private static let program = "/usr/bin/systemctl"

    /// - Returns: why a unit was not reloaded; nil where it was.
    static func failure(of unit: String) -> String? {
        do {
            let result = try ChildProcess.run(
                program, ["try-reload-or-restart", "--", unit], environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"],
                input: [UInt8]().span, milliseconds: 120_000)
            guard result.status != 0 else { return nil }
            let why = result.errors.split(separator: "\n").first.map(String.init)
            return DisplayText.escaped(why ?? "systemctl did not end in time", limit: 300)
        } catch { return "\(program) cannot be started" }
    }
}
