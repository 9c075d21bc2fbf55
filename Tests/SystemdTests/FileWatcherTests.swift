import Dispatch
import Foundation
import Glibc
import Synchronization
import SystemPackage
import Testing

@testable import Systemd

@Suite("File watcher", .timeLimit(.minutes(30)))
struct FileWatcherTests {
    private let queue = DispatchQueue(label: "test.files")
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var directory: FilePath { FilePath(folder.path) }

    /// Collects batches until they satisfy the test.
    private final class Collector: Sendable {
        private struct State {
            var batches: [FileWatcherBatch] = []
            var waiting: (@Sendable ([FileWatcherBatch]) -> Bool, CheckedContinuation<Void, Never>)?
        }
        private let state = Mutex(State())

        var batches: [FileWatcherBatch] { state.withLock { $0.batches } }

        @Sendable func add(_ batch: FileWatcherBatch) {
            let ready = state.withLock { state -> CheckedContinuation<Void, Never>? in
                state.batches.append(batch)
                guard let waiting = state.waiting, waiting.0(state.batches) else { return nil }
                state.waiting = nil
                return waiting.1
            }
            ready?.resume()
        }

        func wait(_ enough: @escaping @Sendable ([FileWatcherBatch]) -> Bool) async {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if enough(state.batches) { return true }
                    state.waiting = (enough, continuation)
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }

    private static func names(_ batches: [FileWatcherBatch]) -> Set<String> {
        Set(batches.flatMap(\.changes).flatMap(\.names).map(\.string))
    }

    @Test("entries of a directory are named")
    func directoryEntries() async throws {
        let collector = Collector()
        let watcher = try FileWatcher(queue: queue, handler: collector.add)
        try watcher.watch(directory, for: .directory)
        try folder.write("one", "1")
        try FileManager.default.moveItem(atPath: folder.path + "/one", toPath: folder.path + "/two")
        await collector.wait { batches in
            batches.contains { $0.changes.contains { $0.events.contains(.movedTo) } }
        }
        #expect(Self.names(collector.batches) == ["one", "two"])
        let events = collector.batches.flatMap(\.changes).reduce(into: FileEvents()) {
            $0.formUnion($1.events)
        }
        // Writes to the file are not watched.
        #expect(events == [.created, .movedFrom, .movedTo])
        #expect(collector.batches.allSatisfy { $0.changes.allSatisfy { $0.path == directory } })
        watcher.cancel()
    }

    @Test("a name that is not UTF-8 comes through")
    func foreignName() async throws {
        let collector = Collector()
        let watcher = try FileWatcher(queue: queue, handler: collector.add)
        try watcher.watch(directory, for: .directory)
        let name: [CChar] = [102, CChar(bitPattern: 0xFF), 0]
        let path = Array((folder.path + "/").utf8CString.dropLast()) + name
        close(unsafe open(path, O_CREAT | O_WRONLY, 0o600))
        await collector.wait { !$0.isEmpty }
        let component = try #require(collector.batches.first?.changes.first?.names.first)
        #expect(unsafe component.withPlatformString { unsafe strlen($0) } == 2)
        watcher.cancel()
    }

    @Test("a burst within the window is one batch")
    func coalesced() async throws {
        let collector = Collector()
        let watcher = try FileWatcher(queue: queue, coalescing: 1, handler: collector.add)
        try watcher.watch(directory, for: .directory)
        // While the queue is busy, the kernel queues events; afterwards they are one batch.
        try queue.sync {
            for index in 0..<100 { try folder.write("\(index)", "") }
        }
        let expected = Set((0..<100).map(String.init))
        await collector.wait { Self.names($0) == expected }
        #expect(collector.batches.count == 1)
        #expect(collector.batches.first?.changes.count == 1)
        // The watcher continues after the pause.
        try folder.write("later", "")
        await collector.wait { Self.names($0).contains("later") }
        watcher.cancel()
    }

    @Test("a watcher may go while it is waiting for the end of a burst")
    func endsInPause() async throws {
        for _ in 0..<20 {
            let collector = Collector()
            var watcher: FileWatcher? = try FileWatcher(queue: queue, coalescing: 5, handler: collector.add)
            try watcher?.watch(directory, for: .directory)
            try folder.write(UUID().uuidString, "")
            queue.sync {}
            watcher = nil
        }
        await withCheckedContinuation { continuation in
            queue.asyncAfter(deadline: .now() + .milliseconds(10)) { continuation.resume() }
        }
    }

    @Test("a file that is written to is reported, and one that is removed is lost")
    func file() async throws {
        try folder.write("wal", "1")
        let path = directory.appending("wal")
        let collector = Collector()
        let watcher = try FileWatcher(queue: queue, handler: collector.add)
        try watcher.watch(path, for: .content)
        #expect(watcher.watched == [path])
        try folder.write("wal", "22")
        await collector.wait { $0.contains { $0.changes.contains { $0.events.contains(.closedAfterWrite) } } }
        #expect(Self.names(collector.batches).isEmpty)
        unsafe unlink(path.string)
        await collector.wait { $0.contains { $0.lost == [path] } }
        #expect(watcher.watched.isEmpty)
        // The path can be watched again when there is a file again.
        try folder.write("wal", "3")
        try watcher.watch(path, for: .content)
        #expect(watcher.watched == [path])
        watcher.cancel()
    }

    @Test("a renamed directory is lost, not followed")
    func renamed() async throws {
        let old = directory.appending("old")
        unsafe mkdir(old.string, 0o700)
        let collector = Collector()
        let watcher = try FileWatcher(queue: queue, handler: collector.add)
        try watcher.watch(old, for: .directory)
        unsafe rename(old.string, directory.appending("new").string)
        await collector.wait { $0.contains { !$0.lost.isEmpty } }
        #expect(collector.batches.flatMap(\.lost) == [old])
        #expect(watcher.watched.isEmpty)
        watcher.cancel()
    }

    @Test("two paths to one directory are both reported, and end separately")
    func aliases() async throws {
        let alias = FilePath(folder.path + "/.")
        let collector = Collector()
        let watcher = try FileWatcher(queue: queue, handler: collector.add)
        try watcher.watch(directory, for: [.created])
        try watcher.watch(alias, for: [.created, .deleted])
        try folder.write("x", "")
        await collector.wait { [directory] in Set($0.flatMap(\.changes).map(\.path)) == [directory, alias] }
        watcher.unwatch(alias)
        #expect(watcher.watched == [directory])
        try folder.write("y", "")
        await collector.wait { Self.names($0).contains("y") }
        #expect(collector.batches.last?.changes.map(\.path) == [directory])
        watcher.unwatch(FilePath("/never/watched"))
        watcher.cancel()
    }

    @Test("more events than the kernel keeps are reported as an overflow")
    func overflow() async throws {
        let limit = try #require(
            Int(
                String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8)
                    .trimmingCharacters(in: .whitespacesAndNewlines)))
        let collector = Collector()
        let watcher = try FileWatcher(queue: queue, handler: collector.add)
        try watcher.watch(directory, for: .directory)
        let path = folder.path + "/flicker"
        queue.sync {
            for _ in 0...(limit / 2) {
                close(unsafe open(path, O_CREAT | O_WRONLY, 0o600))
                unsafe unlink(path)
            }
        }
        await collector.wait { $0.contains(where: \.overflowed) }
        watcher.cancel()
    }

    @Test("a path that is not there is an error that names it")
    func missing() throws {
        let watcher = try FileWatcher(queue: queue) { _ in }
        let error = #expect(throws: SystemdError.self) {
            try watcher.watch(directory.appending("missing"), for: .content)
        }
        #expect(error?.message.contains(folder.path + "/missing") == true)
        #expect(error?.isWatchLimit == false)
        #expect(error?.errno == ENOENT)
        watcher.cancel()
    }

    @Test(
        "a user without watches or instances left learns which limit to raise",
        .enabled(if: isRoot, "needs root to make a user namespace"),
        arguments: [
            ("max_inotify_watches", "fs.inotify.max_user_watches"),
            ("max_inotify_instances", "fs.inotify.max_user_instances"),
        ])
    func limits(limit: String, sysctl: String) throws {
        // A user namespace has its own limits, so other processes are not affected.
        let value = limit == "max_inotify_watches" ? "1" : "0"
        unsafe mkdir(folder.path + "/second", 0o700)
        let script = "echo \(value) > /proc/sys/user/\(limit) && exec \"$@\""
        let child = try Child(
            "/usr/bin/unshare",
            [
                "--user", "--map-root-user", "/bin/sh", "-c", script, "sh", Build.probe, "watch",
                folder.path, folder.path + "/second",
            ])
        let lines = child.lines()
        #expect(child.finish() == 0)
        #expect(lines.last?.hasPrefix("limit true") == true)
        #expect(lines.last?.contains(sysctl) == true)
        #expect(lines.filter { $0 == "watched" }.count == (value == "1" ? 1 : 0))
    }
}

@Suite("Inotify records")
struct InotifyRecordTests {
    private func record(_ watch: UInt32, _ mask: UInt32, _ name: [UInt8]) -> [UInt8] {
        func word(_ value: UInt32) -> [UInt8] { unsafe withUnsafeBytes(of: value) { unsafe Array($0) } }
        return word(watch) + word(mask) + word(0) + word(UInt32(name.count)) + name
    }

    @Test("several records in one read")
    func several() {
        let bytes = record(1, 2, []) + record(7, 0x4000_0100, Array("name".utf8) + [0, 0, 0, 0])
        let records = InotifyRecord.parse(bytes.span)
        #expect(records.map(\.watch) == [1, 7])
        #expect(records.map { $0.name?.string } == [nil, "name"])
        #expect(records.last.map { FileEvents(rawValue: $0.mask).contains(.created) } == true)
    }

    @Test("an overflow has no watch")
    func overflow() {
        let records = InotifyRecord.parse(record(.max, 0x4000, []).span)
        #expect(records.map(\.isOverflow) == [true])
        #expect(records.map(\.watch) == [-1])
    }

    @Test("cut at any byte, it gives whole records or none")
    func truncated() {
        let bytes = record(1, 2, Array("abc\0".utf8)) + record(2, 2, Array("def\0".utf8))
        for count in 0..<bytes.count {
            let parsed = InotifyRecord.parse(bytes.span.extracting(first: count))
            #expect(parsed.count == (count >= 20 ? 1 : 0))
        }
        #expect(InotifyRecord.parse(record(1, 2, [UInt8](repeating: 0, count: 4)).span).first?.name == nil)
    }

    @Test("a length that lies is not followed")
    func lyingLength() {
        var bytes = record(1, 2, [])
        bytes[12...15] = [255, 255, 255, 255]
        #expect(InotifyRecord.parse(bytes.span).isEmpty)
    }
}
