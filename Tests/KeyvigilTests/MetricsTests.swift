import Foundation
import Testing

@Suite("Metrics")
struct MetricsTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    /// A sample with its labels, as a parser of the format reads it. Fails for what is not of the format.
    private func samples(_ text: String) throws -> [String: Double] {
        var samples: [String: Double] = [:]
        var described: Set<String> = []
        var last = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if line.hasPrefix("# HELP ") {
                #expect(described.insert(words[2]).inserted, "described twice: \(words[2])")
                last = words[2]
            } else if line.hasPrefix("# TYPE ") {
                #expect(words[2] == last && ["gauge", "counter", "summary"].contains(words[3]), "\(line)")
            } else {
                let end = try #require(line.lastIndex(of: " "))
                let name = String(line[..<end])
                // The samples of a metric follow its description.
                #expect(name.hasPrefix(last), "\(line)")
                #expect(
                    try name.wholeMatch(of: Regex(#"[a-z_]+(\{([a-z_]+="([^"\\\n]|\\["\\n])*",?)+\})?"#)) != nil,
                    "\(line)")
                #expect(samples[name] == nil, "twice: \(line)")
                let value: Double = try #require(Double(line[line.index(after: end)...]), "\(line)")
                samples[name] = value
            }
        }
        #expect(text.hasSuffix("\n"))
        return samples
    }

    @Test("keys, dates, findings, incidents and places, in the text format of Prometheus")
    func content() throws {
        let secret = try #require(
            try work.create("bil\"ling\\", "--expires", "30d", "--owner", "ana")["secret"] as? String)
        _ = try work.create("far", "--expires", "300d")
        let repository = try work.repository("shop", ["a.txt": "k=\(secret)\n"])
        try work.configure("[scan]\nrepositories = [\"\(repository)\"]")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        #expect(daemon.stop() == 0)
        let before = try samples(try work.keyvigil("metrics").output)
        #expect(before[#"keyvigil_keys{status="active",origin="issued"}"#] == 2)
        #expect(before[#"keyvigil_findings_open{grade="confirmed"}"#] == 1)
        #expect(before[#"keyvigil_incidents_open{danger="live"}"#] == 1)
        #expect(before["keyvigil_incident_time_to_detect_seconds_count"] == 1)
        #expect(before["keyvigil_incident_time_to_resolve_seconds_count"] == 0)
        #expect(before["keyvigil_daemon_running"] == 0)
        #expect(before[#"keyvigil_place_searched_whole{place="\#(repository)"}"#] == 1)
        let expiries = before.filter { $0.key.hasPrefix("keyvigil_key_expiry_timestamp_seconds{") }
        #expect(expiries.count == 1)
        let expiry = try #require(expiries.first)
        #expect(expiry.key.contains(#"owner="ana""#) && expiry.key.contains(#"key_name="bil\"ling\\"#))
        #expect(abs(expiry.value - Date().timeIntervalSince1970 - 30 * 86_400) < 3_600)

        #expect(try work.keyvigil("revoke", "bil\"ling\\", "--yes").status == 0)
        let after = try samples(try work.keyvigil("metrics").output)
        #expect(after[#"keyvigil_incidents_open{danger="live"}"#] == 0)
        #expect(after["keyvigil_incident_time_to_resolve_seconds_count"] == 1)
        let median = #"keyvigil_incident_time_to_resolve_seconds{quantile="0.5"}"#
        #expect(after[median] == after["keyvigil_incident_time_to_resolve_seconds_sum"])
    }

    /// A file below `config/examples`.
    private func example(_ name: String) throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "config/examples/\(name)"), encoding: .utf8)
    }

    @Test(
        "promtool finds no fault in the metrics and in the shipped rules; rules and dashboard name metrics that there are"
    )
    func examples() throws {
        _ = try work.create("billing", "--owner", "ana", "--expires", "30d", "--rotate-every", "10d")
        let text = try work.keyvigil("metrics").output
        let checked = try work.run("/usr/bin/promtool", ["check", "metrics"], input: text)
        #expect(checked.status == 0 && checked.output.isEmpty && checked.errors.isEmpty, "\(checked)")
        for name in ["alerts.yml", "alerts.test.yml"] {
            try work.write(try example("prometheus/\(name)"), to: name)
        }
        for arguments in [["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]] {
            let outcome = try work.run(
                "/usr/bin/env", ["-C", work.directory.path, "promtool"] + arguments)
            #expect(outcome.status == 0, "\(outcome)")
        }
        var known = Set(text.matches(of: #/# TYPE (keyvigil_\w+)/#).map { String($0.output.1) })
        // Only the service counts them.
        known.insert("keyvigil_verifications_total")
        // Members of a fleet alone have them: FleetViewTests.
        known.formUnion(FleetViewTests.metricsOfRules)
        for name in ["prometheus/alerts.yml", "prometheus/grafana-dashboard.json"] {
            let used = try Set(example(name).matches(of: #/keyvigil_\w+/#).map { String($0.output) })
            #expect(used.count > 5 && used.isSubset(of: known), "\(name): \(used.subtracting(known))")
        }
        let dashboard =
            try JSONSerialization.jsonObject(
                with: Data(example("prometheus/grafana-dashboard.json").utf8)) as? [String: Any]
        let panels = try #require(dashboard?["panels"] as? [[String: Any]])
        #expect(Set(panels.compactMap { $0["id"] as? Int }).count == panels.count)
        #expect(panels.allSatisfy { !(($0["targets"] as? [Any]) ?? []).isEmpty })
    }

    @Test("the file for node_exporter is replaced as a whole, and others can read it")
    func textfile() throws {
        _ = try work.create("billing")
        let folder = work.path("metrics")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try work.write("old\n", to: "metrics/keyvigil.prom")
        let run = try work.keyvigil("metrics", "--textfile", folder)
        #expect(run.status == 0 && run.output.isEmpty, "\(run.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["keyvigil.prom"])
        let text = try String(contentsOfFile: folder + "/keyvigil.prom", encoding: .utf8)
        #expect(try samples(text)[#"keyvigil_keys{status="active",origin="issued"}"#] == 1)
        let mode = try FileManager.default.attributesOfItem(atPath: folder + "/keyvigil.prom")[.posixPermissions]
        #expect(mode as? Int == 0o644)
        let missing = try work.keyvigil("metrics", "--textfile", work.path("nowhere"))
        #expect(missing.status == 2 && missing.errors.contains("nowhere/keyvigil.prom cannot be written"))
    }
}
