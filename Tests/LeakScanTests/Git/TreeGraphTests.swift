import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// The recorded edges lead from any object up to the trees of commits.
@Suite struct TreeGraphTests {
    struct Entry {
        var mode: String
        var name: String
        var id: [UInt8]
    }

    static func tree(_ entries: [Entry]) -> [UInt8] {
        entries.flatMap { Array("\($0.mode) \($0.name)\0".utf8) + $0.id }
    }

    static func noted(_ graph: TreeGraph, _ ids: [ObjectID]) -> Set<ObjectID> {
        var found: Set<ObjectID> = []
        graph.forEachNew(IDHeads(ids, in: ScratchSpace())) { _, id, _ in found.insert(ids[id]) }
        return found
    }

    @Test func everyFolderIsNotedAndOfFilesThoseAskedFor() {
        var noise = Noise(seed: 3)
        let names = ["a", "40000 b", "100644 c", "1", "a 100644 b", "x 40000 ", String(repeating: "long", count: 40)]
        for round in 0..<300 {
            var entries: [Entry] = []
            for number in 0..<Int.random(in: 1...12, using: &noise) {
                var id = (0..<20).map { _ in UInt8.random(in: 0...255, using: &noise) }
                // Bytes that look like a mode, or like the end of a name, right before the next entry.
                if round % 3 == 0 { id[19] = UInt8(ascii: "1") }
                if round % 3 == 1 { id[Int.random(in: 0..<20, using: &noise)] = 0 }
                let mode = ["40000", "100644", "100755", "120000", "160000"].randomElement(using: &noise) ?? ""
                // With zeros in ids, only names that do not look like a mode are recognised with certainty.
                let odd = names.randomElement(using: &noise) ?? ""
                entries.append(Entry(mode: mode, name: (round % 3 == 1 ? "lib v" : odd) + "\(number)", id: id))
            }
            let bytes = Self.tree(entries)
            let ids = entries.map { ObjectID($0.id.span, at: 0, length: 20) }
            let folders = Set(zip(entries, ids).filter { $0.0.mode == "40000" }.map(\.1))
            let asked = Set(ids.prefix(1))
            var graph = TreeGraph(idLength: 20, in: ScratchSpace())
            graph.add(0, bytes.span, copied: [], IDHeads(asked, in: ScratchSpace()))
            #expect(Self.noted(graph, ids).isSuperset(of: folders.union(asked)), "round \(round)")
        }
    }

    @Test func copiesKeepTheirFields() {
        for (source, target, length) in [(0, 0, 20), (4_194_303, 4_194_303, 1_048_575), (77, 4_000_000, 31)] {
            let copy = TreeGraph.Copy(source: source, target: target, length: length)
            #expect([copy.source, copy.target, copy.length] == [UInt32(source), UInt32(target), UInt32(length)])
        }
    }

    @Test func aLongCopyIsNotedInPiecesThatCutNoID() {
        var graph = TreeGraph(idLength: 20, in: ScratchSpace())
        graph.add(0, [UInt8](repeating: 1, count: 40).span, copied: [], IDHeads([ObjectID](), in: ScratchSpace()))
        let length = 3 * TreeGraph.Copy.longest
        var copy = Delta.Copy(source: 5, target: 9, length: length)
        copy.written = 0..<0
        graph.add(1, [UInt8](repeating: 1, count: 40).span, copied: [copy], IDHeads([ObjectID](), in: ScratchSpace()))
        for place in stride(from: 5, through: 5 + length - 20, by: 1 << 10) {
            var found: Set<UInt32> = []
            graph.forEachCopy(to: 1, 1, of: UInt32(place)) { found.insert($0) }
            #expect(found == [UInt32(place + 4)])
        }
        var found: Set<UInt32> = []
        graph.forEachCopy(to: 1, 1, of: UInt32(5 + length - 19)) { found.insert($0) }
        #expect(found.isEmpty)
    }

    /// Where a secret is in no file, history is read for its own sake, without anything to search for. In trees of one folder,
    /// each a delta in which one id is new, ids have zeros at any place.
    @Test(arguments: [1, 50]) func historyIsReadForItsOwnSake(_ depth: Int) throws {
        let folder = try TemporaryFolder()
        let git = try Git.initialize(folder.path)
        var stream: [String] = []
        for number in 0..<1500 {
            let (text, message) = ("text \(number)", number == 1000 ? "why \(TestScan.secret)" : "change \(number)")
            stream += [
                "commit refs/heads/main\ncommitter A <a@example.com> \(1_600_000_000 + number) +0000",
                "data \(message.utf8.count)\n\(message)", "M 100644 inline src/f\(number % 40)",
                "data \(text.utf8.count)\n\(text)",
            ]
        }
        try git.run(
            ["-c", "fastimport.unpackLimit=1", "fast-import", "--quiet"],
            input: Array((stream.joined(separator: "\n") + "\n").utf8))
        try git.git("repack", "-q", "-a", "-d", "-f", "--depth=\(depth)", "--window=20")
        let scan = try TestScan(folder.path) { $0.searchesFiles = false }
        let commits = try git.text("rev-list", "--reverse", "HEAD").split(separator: "\n")
        #expect(scan.summary.isComplete && scan.occurrences.map(\.source) == [.commit])
        #expect(scan.occurrences.first?.commit == String(commits[1000]))
    }
}
