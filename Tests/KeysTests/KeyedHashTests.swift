import Keys
import Testing

@Suite("The keyed hash")
struct KeyedHashTests {
    /// RFC 4231, section 4: key, data, HMAC-SHA-256. Of case 5 the first 16 bytes are given.
    static let cases: [(key: [UInt8], data: [UInt8], code: String)] = [
        (
            repeated(0x0b, 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            repeated(0xaa, 20), repeated(0xdd, 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            Array(0x01...0x19), repeated(0xcd, 50), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
        ),
        (repeated(0x0c, 20), Array("Test With Truncation".utf8), "a3b6167473100ee06e0c796c2955552b"),
        (
            repeated(0xaa, 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            repeated(0xaa, 131),
            Array(
                ("This is a test using a larger than block-size key and a larger than block-size data. "
                    + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
    ]

    @Test("the codes are those of RFC 4231, whole and in two parts, again and again", arguments: cases.indices)
    func codes(index: Int) {
        let (key, data, expected) = Self.cases[index]
        let hash = KeyedHash(key: Secret(copying: key.span))
        for _ in 0..<3 {
            #expect(hex(hash.code(of: data.span)).hasPrefix(expected))
            for cut in 0...data.count {
                let code = hash.code(of: Array(data[..<cut]), and: Array(data[cut...]))
                #expect(hex(code).hasPrefix(expected))
            }
        }
    }

    @Test("the digests are those of FIPS 180-4")
    func digests() {
        let empty: [UInt8] = []
        #expect(
            hex(KeyedHash.digest(of: empty.span))
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            hex(KeyedHash.digest(of: Array("abc".utf8).span))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test("many threads may use one key at once")
    func threads() async {
        let hash = KeyedHash(key: Secret(copying: Array("Jefe".utf8).span))
        let inputs = (0..<64).map { Array("message \($0)".utf8) }
        let expected = inputs.map { hash.code(of: $0.span) }
        #expect(Set(expected).count == inputs.count)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<200).allSatisfy { _ in
                        zip(inputs, expected).allSatisfy { hash.code(of: $0.span) == $1 }
                    }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }

    @Test("what was derived from a pepper stays as it was with earlier versions")
    func pepper() throws {
        let pepper = try Pepper(Secret(copying: repeated(0x70, 32).span))
        #expect(hex(pepper.fingerprint.bytes) == "9034103bcb745f967bd6bad7e841cfcef3b6c5c0eb34906798f0bd976609c344")
        #expect(
            hex(pepper.hash(Array("a secret".utf8).span).bytes)
                == "ec33b4761db587521575de61a49a6b63b632f5d406df2a5b9b6e1d4d1a1a6331")
        #expect(
            hex(pepper.hashOfDigest(Array("a secret".utf8).span).bytes)
                == "7edc097ab8ed8e608ab91f33f1fc7473b895929bd1adaad5dd51a21935ef34be")
        #expect(
            hex(pepper.auditLink(after: repeated(1, 32), event: Array("event".utf8)))
                == "ddf7798ceb639e1250bfd27af9fa1df67412b857b1b838ffdceee9b8536c3460")
    }
}

private func repeated(_ byte: UInt8, _ count: Int) -> [UInt8] { Array(repeating: byte, count: count) }

private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String(UInt16(0x100) + UInt16($0), radix: 16).dropFirst() }.joined()
}
