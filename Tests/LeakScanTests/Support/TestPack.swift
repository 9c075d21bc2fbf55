import Foundation
import GitRunner
import SystemPackage

/// Writes packs with deltas that git would not choose (gitformat-pack(5)): any cut, any depth, bases before or after.
struct TestPack {
    /// An instruction of a delta.
    enum Instruction {
        case copy(from: Int, count: Int)
        case insert([UInt8])
    }

    /// How a delta refers to its base.
    enum BaseName: CaseIterable {
        case offset, reference
        /// By id, with the base later in the pack.
        case referenceAhead
    }

    private(set) var objects: [[UInt8]] = []
    private var deltas: [(base: Int, delta: [UInt8])?] = []

    /// Adds a blob that is not a delta.
    ///
    /// - Returns: its number.
    mutating func add(_ blob: [UInt8]) -> Int {
        objects.append(blob)
        deltas.append(nil)
        return objects.count - 1
    }

    /// Adds a blob that is a delta of another.
    mutating func add(on base: Int, _ instructions: [Instruction]) -> Int {
        var result: [UInt8] = []
        var code: [UInt8] = []
        for instruction in instructions {
            switch instruction {
            case .copy(let from, let count):
                result += objects[base][from..<from + count]
                code += Self.copy(from, count)
            case .insert(let bytes):
                result += bytes
                for start in stride(from: 0, to: bytes.count, by: 127) {
                    let part = bytes[start..<min(start + 127, bytes.count)]
                    code += [UInt8(part.count)] + part
                }
            }
        }
        let sizes = Self.size(objects[base].count) + Self.size(result.count)
        objects.append(result)
        deltas.append((base, sizes + code))
        return objects.count - 1
    }

    /// The bytes of the pack.
    ///
    /// - Parameter name: returns the id of an object; used for references only.
    func bytes(_ style: BaseName, name: (Int) throws -> [UInt8] = { _ in [] }) throws -> [UInt8] {
        var pack =
            Array("PACK".utf8) + [0, 0, 0, 2]
            + (0..<4).map { UInt8(truncatingIfNeeded: objects.count >> (24 - 8 * $0)) }
        var offsets = [Int](repeating: 0, count: objects.count)
        for number in style == .referenceAhead ? Array(objects.indices.reversed()) : Array(objects.indices) {
            offsets[number] = pack.count
            guard let (base, delta) = deltas[number] else {
                pack += Self.header(kind: 3, objects[number].count) + Self.stored(objects[number])
                continue
            }
            if style == .offset {
                pack += Self.header(kind: 6, delta.count) + Self.distance(offsets[number] - offsets[base])
            } else {
                pack += Self.header(kind: 7, delta.count) + (try name(base))
            }
            pack += Self.stored(delta)
        }
        return pack + (try Self.digest(pack))
    }

    /// The ids of the blobs from git, and the pack with its index in a repository.
    func install(in git: Git, _ style: BaseName, indexVersion: String = "2") throws {
        var names: [[UInt8]] = []
        if style != .offset {
            // The ids are those of the contents, however they are packed.
            let folder = try TemporaryFolder()
            for (number, object) in objects.enumerated() { try folder.write(object, to: "\(number)") }
            let paths = objects.indices.map { "\(folder.path.string)/\($0)\n" }.joined()
            names = try git.run(["hash-object", "--no-filters", "--stdin-paths"], input: Array(paths.utf8))
                .split(separator: UInt8(ascii: "\n")).map { Self.binary(Array($0)) }
        }
        let path = git.folder.appending(".git/objects/pack/pack-made.pack")
        try Data(try bytes(style) { names[$0] }).write(to: URL(filePath: path.string))
        try git.run(["index-pack", "--index-version=\(indexVersion)", path.string])
    }

    private static func binary(_ hex: [UInt8]) -> [UInt8] {
        let digits = Array(hex.prefix(40))
        return stride(from: 0, to: 40, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
    }

    // MARK: - The format

    /// "Instruction to copy from base object"; a count of 64 KiB is written as none.
    private static func copy(_ from: Int, _ count: Int) -> [UInt8] {
        precondition(count > 0 && count < 1 << 24)
        var code: UInt8 = 0x80
        var fields: [UInt8] = []
        for bit in 0..<4 where from >> (8 * bit) & 0xff != 0 {
            code |= 1 << UInt8(bit)
            fields.append(UInt8(from >> (8 * bit) & 0xff))
        }
        if count != 0x10000 {
            for bit in 0..<3 where count >> (8 * bit) & 0xff != 0 {
                code |= 16 << UInt8(bit)
                fields.append(UInt8(count >> (8 * bit) & 0xff))
            }
        }
        return [code] + fields
    }

    /// "Size encoding".
    private static func size(_ number: Int) -> [UInt8] {
        var rest = number
        var bytes: [UInt8] = []
        repeat {
            bytes.append(UInt8(rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        return bytes
    }

    /// "n-byte type and length".
    private static func header(kind: UInt8, _ size: Int) -> [UInt8] {
        let first = kind << 4 | UInt8(size & 15)
        return size > 15 ? [first | 0x80] + Self.size(size >> 4) : [first]
    }

    /// "Offset encoding".
    private static func distance(_ number: Int) -> [UInt8] {
        var rest = number
        var bytes = [UInt8(rest & 0x7f)]
        while rest > 0x7f {
            rest = rest >> 7 - 1
            bytes.insert(UInt8(rest & 0x7f) | 0x80, at: 0)
        }
        return bytes
    }

    /// A zlib stream of stored blocks (RFC 1950, RFC 1951).
    private static func stored(_ bytes: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        var at = 0
        repeat {
            let count = min(bytes.count - at, 0xffff)
            let low = UInt8(count & 0xff)
            let high = UInt8(count >> 8)
            stream += [at + count == bytes.count ? 1 : 0, low, high, ~low, ~high] + bytes[at..<at + count]
            at += count
        } while at < bytes.count
        var (a, b) = (1, 0)
        for byte in bytes {
            a = (a + Int(byte)) % 65521
            b = (b + a) % 65521
        }
        return stream + [UInt8(b >> 8), UInt8(b & 0xff), UInt8(a >> 8), UInt8(a & 0xff)]
    }

    /// SHA-1, computed by the system's program.
    private static func digest(_ bytes: [UInt8]) throws -> [UInt8] {
        let file = FileManager.default.temporaryDirectory.appending(path: "keyvigil-pack-\(UUID().uuidString)")
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/sha1sum")
        process.arguments = [file.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let answer = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return binary(Array(answer))
    }
}

extension TestPack {
    /// Adds a chain of deltas of one to five instructions, each with its number at the end. What becomes too long is cut.
    ///
    /// - Parameters:
    ///   - longest: the length from which on 900 bytes are kept.
    ///   - instruction: makes an instruction for what is there by then.
    mutating func addChain(
        on first: Int, count: Int, longest: Int, using noise: inout Noise,
        _ instruction: (_ base: [UInt8], _ noise: inout Noise) -> Instruction
    ) {
        var last = first
        for number in 0..<count {
            let base = objects[last]
            var delta = (0..<Int.random(in: 1...5, using: &noise)).map { _ in instruction(base, &noise) }
            delta.append(.insert(Array(" \(number)".utf8)))
            let made = add(on: last, delta)
            last = objects[made].count < longest ? made : add(on: made, [.copy(from: 700, count: 900)])
        }
    }
}
