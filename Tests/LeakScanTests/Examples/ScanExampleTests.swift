import LeakScan
import Testing

/// The example in the README of the module.
@Suite struct ScanExampleTests {
    @Test func aPrefixIsFoundInAFile() throws {
        let folder = try TemporaryFolder()
        try folder.write("#!/bin/sh\nTOKEN=kv_live_Ab3dE6gH_0123456789\n", to: "deploy.sh")

        // List first: a key that is created after this cannot be in what is listed.
        let listing = try Scanner.list(folder.path, options: ScanOptions(), at: Scanner.fileClock())
        let terms = try SearchTerms([SearchTerm(id: 7, prefix: Array("kv_live_Ab3dE6gH_".utf8))])
        var found: [Occurrence] = []
        let summary = try Scanner.scan(
            listing, terms: terms, recognizer: NoSecretsKnown(), memory: NoScanMemory(), options: ScanOptions(),
            control: ScanControl()
        ) { batch in found += batch.occurrences }

        #expect(summary.isComplete && found.count == 1)
        #expect(found.first?.term == 7 && found.first?.line == 2 && found.first?.grade == .mention)
    }
}
