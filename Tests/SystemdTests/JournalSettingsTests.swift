import Foundation
import Testing

@testable import Systemd

@Suite("journald's settings")
struct JournalSettingsTests {
    private let root: TemporaryFolder

    init() throws { root = try TemporaryFolder() }

    private func write(_ path: String, _ text: String) throws {
        let file = URL(filePath: root.path + path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    private var storesNothing: Bool { JournalSettings(root: root.path).storesNothing }

    @Test("the last word counts: drop-ins by their names after the main file, those in /etc before those of the vendor")
    func precedence() throws {
        #expect(!storesNothing)
        try write("/usr/lib/systemd/journald.conf", "[Journal]\nStorage=none\n")
        #expect(storesNothing)
        try write("/etc/systemd/journald.conf", "# Storage=none\n[Journal]\n;Storage=none\n")
        #expect(!storesNothing, "one main file counts")
        try write(
            "/usr/lib/systemd/journald.conf.d/20-small.conf", " [Journal] \n  Storage = none \nMaxLevelStore=warning")
        #expect(storesNothing)
        try write("/etc/systemd/journald.conf.d/10-first.conf", "[Journal]\nStorage=persistent\n")
        #expect(storesNothing)
        try write("/etc/systemd/journald.conf.d/20-small.conf", "[Other]\nStorage=none\n")
        #expect(!storesNothing, "a file of one name hides the vendor's")
        try write("/run/systemd/journald.conf.d/30-last.conf", "[Journal]\r\nStorage=none\r\n")
        #expect(storesNothing)
    }

    @Test("a namespace has files of its own")
    func namespace() throws {
        try write("/etc/systemd/journald@kv.conf", "[Journal]\nStorage=none\n")
        #expect(!storesNothing && JournalSettings(namespace: "kv", root: root.path).storesNothing)
        try write("/etc/systemd/journald@kv.conf.d/a.conf", "[Journal]\nStorage=\nStorage=auto\n")
        #expect(!JournalSettings(namespace: "kv", root: root.path).storesNothing)
    }
}
