import Dispatch
import Foundation
import Keys
import Synchronization
import SystemPackage
import Testing

@testable import Keyvigil

@Suite("Files that change are searched within seconds", .serialized)
struct FolderWatchTests {
    let work: Workplace
    let secret: String

    init() throws {
        work = try Workplace()
        secret = try #require(try work.create("billing")["secret"] as? String)
        try work.write("TOKEN=\(secret)\n", to: "secret")
        try work.write("a", to: "place/files/a")
        for folder in ["place/folders/empty", "elsewhere"] {
            try FileManager.default.createDirectory(atPath: work.path(folder), withIntermediateDirectories: true)
        }
    }

    /// How a secret gets into the place. The working directory is the workplace.
    static let ways = [
        "written": "cat secret > place/files/b",
        "appended": "cat secret >> place/files/a",
        "in a folder that was empty": "cat secret > place/folders/empty/b",
        "in a folder of a folder without files": "mkdir place/folders/new && cat secret > place/folders/new/b",
        "in folders that are made": "mkdir -p place/new/deep && cat secret > place/new/deep/b",
        "moved": "cat secret > elsewhere/b && mv elsewhere/b place/files/b",
        "moved with its folder": "cat secret > elsewhere/b && mv elsewhere place/elsewhere",
        "in a folder that was replaced": """
        mv place/files place/old && mkdir place/files && cat secret > place/files/b
        """,
        "in a place that was replaced": """
        cp -a place other && mv place old && mv other place && cat secret > place/folders/empty/b
        """,
        "renamed over": "cat secret > elsewhere/a && mv elsewhere/a place/files/a",
    ]

    func shell(_ script: String) throws {
        let outcome = try work.run("/bin/sh", ["-ec", "cd '\(work.path(""))'\n\(script)"])
        try #require(outcome.status == 0, "\(outcome.errors)")
    }

    func start(_ settings: String) throws -> DaemonProcess {
        try work.configure("[scan]\n\(settings)\ninterval = \"never\"")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        return daemon
    }

    @Test("whatever the way in which a secret comes into a folder", arguments: ways.keys.sorted())
    func found(_ way: String) throws {
        let daemon = try start("folders = [\"\(work.path("place"))\"]")
        try shell(try #require(Self.ways[way]))
        try daemon.wait(for: "leak.confirmed")
        #expect(daemon.stop() == 0)
        #expect(daemon.events("leak.confirmed").count == 1 && daemon.events("scan.finished").count == 1)
    }

    @Test("a log that a program keeps open, each time that it writes a secret of another key")
    func openFile() throws {
        let second = try #require(try work.create("shop")["secret"] as? String)
        let daemon = try start("folders = [\"\(work.path("place"))\"]")
        let log = try FileHandle(forWritingTo: URL(filePath: work.path("place/files/a")))
        defer { try? log.close() }
        for (count, secret) in [secret, second].enumerated() {
            try log.write(contentsOf: Data("calling with \(secret)\n".utf8))
            try daemon.wait(for: "leak.confirmed", count: count + 1)
        }
        #expect(daemon.stop() == 0)
    }

    @Test("a file that is a place, and what is written in a working tree before it is committed")
    func filesAndWorkingTrees() throws {
        let clone = try work.repository("clone", ["a": "a", "deep/b": "b"])
        let daemon = try start(
            "repositories = [\"\(clone)\"]\nfolders = [\"\(work.path("place/files/a"))\"]")
        try shell("cat secret >> place/files/a")
        try daemon.wait(for: "leak.confirmed")
        try shell("cat secret > clone/deep/c")
        try daemon.wait(for: "deep/c")
        #expect(daemon.stop() == 0)
    }
}

@Suite("Which folders are watched for changes of their files")
struct ContentWatchTests {
    let folder: FilePath

    init() throws {
        let work = try Workplace()
        for name in ["one", "two", "store", "fence"] { try work.write("a", to: "\(name)/a") }
        folder = FilePath(work.path(""))
        self.work = work
    }

    let work: Workplace

    /// The places that a watch has reported.
    private final class Reports: Sendable {
        let all = Mutex<[Set<String>]>([])
        let arrived = DispatchSemaphore(value: 0)
    }

    /// A watch of some folders, each a place by its name, and what it reports.
    private final class Watching: Sendable {
        let watch: ContentWatch
        private let reports: Reports
        private let folder: FilePath

        init(_ folder: FilePath, most: Int = ContentWatch.mostFolders) {
            let reports = Reports()
            watch = ContentWatch(
                debounce: 0, most: most, ignoring: folder.appending("store"), ReportingFileSystems()
            ) { places in
                reports.all.withLock { $0.append(Set(places.map(\.text))) }
                reports.arrived.signal()
            }
            self.folder = folder
            self.reports = reports
        }

        func list(_ place: String, _ folders: [String]) {
            watch.willList(place)
            for name in folders { watch.watch(folder.appending(name), of: place) }
            watch.didList(place)
        }

        func write(in name: String) throws {
            try Data("b".utf8).write(to: URL(filePath: folder.appending(name).appending("a").string))
        }

        /// Changes the fence, and waits until that is reported: what was changed before is, too, if it ever is.
        func reported() throws -> [Set<String>] {
            list("fence", ["fence"])
            try write(in: "fence")
            while true {
                try #require(reports.arrived.wait(timeout: .now() + 60) == .success)
                let all = reports.all.withLock { $0 }
                guard all.contains(where: { $0.contains("fence") }) else { continue }
                reports.all.withLock { $0 = [] }
                return all.map { $0.subtracting(["fence"]) }.filter { !$0.isEmpty }
            }
        }
    }

    @Test("a folder that has changed is not watched until it is read again, and others of the place are")
    func once() throws {
        let watching = Watching(folder)
        watching.list("place", ["one", "two"])
        try watching.write(in: "one")
        #expect(try watching.reported() == [["place"]])
        try watching.write(in: "one")
        #expect(try watching.reported().isEmpty)
        try watching.write(in: "two")
        #expect(try watching.reported() == [["place"]])
        watching.list("place", ["one", "two"])
        try watching.write(in: "one")
        #expect(try watching.reported() == [["place"]])
    }

    @Test(
        "the store's folder is not watched, nor one that the place has no longer, nor a place that is watched no longer"
    )
    func left() throws {
        let watching = Watching(folder)
        watching.list("place", ["one", "two", "store"])
        try watching.write(in: "store")
        #expect(try watching.reported().isEmpty)
        watching.list("place", ["one"])
        try watching.write(in: "two")
        #expect(try watching.reported().isEmpty)
        watching.watch.keep(["fence"])
        try watching.write(in: "one")
        #expect(try watching.reported().isEmpty)
    }

    @Test("a place with more folders than are watched is said to be one")
    func many() throws {
        let watching = Watching(folder, most: 1)
        watching.list("place", ["one", "two"])
        #expect(watching.watch.unwatched == ["place": .manyFolders])
        let alert = Alert(WatchObstacles(watching.watch.unwatched.values), polled: [], wide: ["/srv/files"])
        #expect(alert.message.hasPrefix("changes in some folders of 1 place (/srv/files) are noticed by the next scan"))
        #expect(!alert.message.contains("within a minute") && alert.priority == .notice)
        watching.list("place", ["one"])
        #expect(watching.watch.unwatched.isEmpty)
    }
}
