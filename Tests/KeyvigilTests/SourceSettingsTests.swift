import Foundation
import Testing

@Suite("Sources")
struct SourceSettingsTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    @Test("a source that there is none of is refused with file, line and the nearest one")
    func refused() throws {
        try work.configure("[scan]\nsources = [\"etc\", \"historys\"]")
        let checked = try work.keyvigil("check-config")
        #expect(checked.status == 2)
        #expect(
            checked.errors.contains("'historys' is no source") && checked.errors.contains("histories"),
            "\(checked.errors)")
        #expect(checked.errors.contains("keyvigil.toml:4: "))
    }

    @Test("environments and arguments of processes are searched to their end, and named by their program")
    func processes() throws {
        let secret = try #require(try work.create("billing")["secret"] as? String)
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        // Longer than what the first piece of a file holds.
        process.environment = ["A": String(repeating: "x", count: 100_000), "TOKEN": secret]
        process.arguments = ["-c", "read -r line", "name", "--token=\(secret)"]
        let input = Pipe()
        process.standardInput = input
        try process.run()
        defer {
            try? input.fileHandleForWriting.close()
            process.waitUntilExit()
        }
        let scan = try work.keyvigil("scan", "/proc", "--json")
        let paths = scan.objects.filter { $0["grade"] as? String == "confirmed" }.compactMap { $0["path"] as? String }
        #expect(Set(paths).isSuperset(of: ["sh/environ", "sh/cmdline"]), "\(paths)")
        #expect(!scan.output.contains(secret) && !scan.errors.contains(secret))
        let one = try work.keyvigil("scan", "/proc/\(process.processIdentifier)/environ", "--json")
        #expect(one.status == 1 && one.objects.first?["grade"] as? String == "confirmed", "\(one.errors)")
    }
}
