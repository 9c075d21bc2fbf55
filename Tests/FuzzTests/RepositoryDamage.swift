import Foundation
import FuzzTargets
import SystemPackage

@testable import LeakScan

/// Damages files of a repository, and puts them back.
struct RepositoryDamage {
    /// What a file is for; by it damage is spread evenly, though most files are loose objects.
    enum Role: String, CaseIterable {
        case pack, index, multiPackIndex, loose, commitGraph, refs, packedRefs, head, config, stagingIndex, alternates
        case shallow, logs

        init?(_ path: String) {
            let name = path.split(separator: "/").last.map(String.init) ?? ""
            switch name {
            case _ where name.hasSuffix(".pack"): self = .pack
            case _ where name.hasSuffix(".idx"): self = .index
            case "multi-pack-index": self = .multiPackIndex
            case "packed-refs": self = .packedRefs
            case "HEAD" where !path.contains("/logs/"): self = .head
            case "config": self = .config
            case "index": self = .stagingIndex
            case "alternates": self = .alternates
            case "shallow": self = .shallow
            case "commit-graph": self = .commitGraph
            case _ where path.contains("/logs/"): self = .logs
            case _ where path.contains("/refs/"): self = .refs
            case _ where name.utf8.count >= 38 && !name.contains(".") && path.contains("/objects/"): self = .loose
            default: return nil
            }
        }

        /// Whether objects are not stored in such a file, so that all of them are still there.
        var leavesObjects: Bool {
            switch self {
            case .commitGraph, .refs, .packedRefs, .head, .stagingIndex, .logs: true
            default: false
            }
        }
    }

    private let files: [Role: [String]]
    private let contents: [String: [UInt8]]
    private let idLength: Int
    /// What was done last, for people.
    private(set) var words = ""
    private(set) var roles: Set<Role> = []
    /// Files that are not what they were.
    private var changed: Set<String> = []
    private(set) var damagedFiles: [String] = []

    init(of repository: RandomRepository) throws {
        idLength = repository.shape == .sha256 ? 32 : 20
        var files: [Role: [String]] = [:]
        var contents: [String: [UInt8]] = [:]
        let root = repository.folder.string
        for name in try FileManager.default.subpathsOfDirectory(atPath: root) {
            let path = "\(root)/\(name)"
            guard let role = Role(path), let bytes = try? Data(contentsOf: URL(filePath: path)) else { continue }
            files[role, default: []].append(path)
            contents[path] = [UInt8](bytes)
        }
        self.files = files.mapValues { $0.sorted() }
        self.contents = contents
    }

    var packs: [String] { files[.pack] ?? [] }

    /// Damages one file, or a few.
    mutating func make(_ random: inout Mutator) throws {
        words = ""
        roles = []
        damagedFiles = []
        for _ in 0...(random.random(4) == 0 ? 1 + random.random(2) : 0) {
            let present = Role.allCases.filter { files[$0] != nil }
            let role = present[random.random(present.count)]
            guard let paths = files[role] else { continue }
            let path = paths[random.random(paths.count)]
            try damage(path, role, &random)
        }
    }

    /// Puts back what was damaged.
    mutating func undo() throws {
        for path in changed {
            try? FileManager.default.removeItem(atPath: path)
            if let bytes = contents[path] { try write(bytes, to: path) }
        }
        changed = []
    }

    private mutating func damage(_ path: String, _ role: Role, _ random: inout Mutator) throws {
        roles.insert(role)
        damagedFiles.append(path)
        changed.insert(path)
        let bytes = contents[path] ?? []
        let kind = random.random(12)
        words += "\(role.rawValue) \(path): "
        switch kind {
        case 0:
            words += "removed; "
            try? FileManager.default.removeItem(atPath: path)
        case 1:
            let count = random.random(3) == 0 ? 0 : random.random(bytes.count)
            words += "cut to \(count); "
            try write(Array(bytes.prefix(count)), to: path)
        case 2:
            let others = files[role] ?? []
            let other = others[random.random(others.count)]
            words += "exchanged for \(other); "
            try write(contents[other] ?? [], to: path)
        case 3:
            words += "a folder; "
            try? FileManager.default.removeItem(atPath: path)
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        case 4:
            words += "a symlink to itself; "
            try? FileManager.default.removeItem(atPath: path)
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path)
        case 5:
            let name = String(path.dropLast()) + (path.hasSuffix("0") ? "1" : "0")
            words += "renamed to \(name); "
            changed.insert(name)
            damagedFiles.append(name)
            try? FileManager.default.removeItem(atPath: path)
            try write(bytes, to: name)
        default:
            words += "changed; "
            let made = random.damaged(bytes)
            try write(kind < 9 ? withChecksum(made, role) : made, to: path)
            if kind < 9, role == .pack { try seal(path, made) }
        }
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        try? FileManager.default.removeItem(atPath: path)
        try Data(bytes).write(to: URL(filePath: path))
    }

    private func checksum(_ bytes: some Collection<UInt8>) -> [UInt8] {
        let hash = ContentHash(idLength: idLength)
        let bytes = Array(bytes)
        hash.add(bytes.span)
        return hash.finish()
    }

    /// Damage that a checksum shows is found at once; what is behind that is reached with the right one.
    private func withChecksum(_ bytes: [UInt8], _ role: Role) -> [UInt8] {
        guard [.pack, .index, .multiPackIndex].contains(role), bytes.count > 2 * idLength else { return bytes }
        let body = bytes.dropLast(idLength)
        return body + checksum(body)
    }

    /// Makes the index of a pack one of what the pack is now.
    private mutating func seal(_ pack: String, _ bytes: [UInt8]) throws {
        let index = String(pack.dropLast(5)) + ".idx"
        guard let old = contents[index], bytes.count > 2 * idLength else { return }
        changed.insert(index)
        damagedFiles.append(index)
        let body = old.dropLast(2 * idLength) + checksum(bytes.dropLast(idLength))
        try write(body + checksum(body), to: index)
    }
}
