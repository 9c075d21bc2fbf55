import Glibc
package import SystemPackage

/// Finds registered prefixes in repositories and folders, and verifies what follows them.
///
/// Two steps, in this order: ``list(_:options:at:)``, then load the terms, then ``scan``. Both block; call
/// them away from the cooperative thread pool. Nothing of what is scanned is executed or obeyed, and every
/// byte of it is untrusted.
package enum Scanner {
    /// How input is searched, in words. What was searched in another way is to be searched again: whoever adds a form, an archive or a name
    /// that is searched gives this another number.
    package static let search =
        "search 8: numbers in calls and with casts, dumps of UTF-16, escapes of RTF, sections of XML, joined streams of zlib"

    /// Now, in nanoseconds since 1970, by the clock that stamps files.
    package static func fileClock() -> Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }

    /// The commit of HEAD of the repository at a path, in hexadecimal; nil where there is none, and where its packed refs are too
    /// large to be read for that alone.
    package static func head(of path: FilePath) -> String? {
        guard let layout = repository(at: path) else { return nil }
        guard PackedRefs.state(in: layout.commonDirectory).map({ $0.size <= largestPackedRefs }) ?? true else {
            return nil
        }
        return Refs.head(of: layout)?.hex
    }

    /// In bytes: about 100,000 refs.
    private static let largestPackedRefs: UInt64 = 8 << 20

    /// Whether a folder is where the kernel shows the processes (proc(5)): of it their environments and arguments are searched,
    /// and it cannot be watched.
    package static func showsProcesses(_ path: FilePath) -> Bool { ProcessFolder.isRoot(path) }

    /// The repository at a path, without a look at what it holds; nil where there is none that can be read.
    package static func repository(at path: FilePath) -> RepositoryLayout? {
        (try? RepositoryLocator.repository(at: path)) ?? nil
    }

    /// Lists what there is at `target`: a repository (bare, with a working tree, a linked worktree, a
    /// submodule), a folder (with whatever repositories lie in it), or one file. Globs are the caller's to
    /// expand.
    ///
    /// - Parameters:
    ///   - control: to stop it.
    ///   - instant: what ``fileClock()`` says now.
    /// - Throws: ``LeakScanError`` if there is nothing, it cannot be read, or it is a repository in a format
    ///   that this reader does not understand, or it was stopped. A nested repository of that kind is a problem in
    ///   the listing instead.
    package static func list(
        _ target: FilePath, options: ScanOptions = ScanOptions(), control: ScanControl = ScanControl(),
        at instant: Int64 = fileClock()
    ) throws(LeakScanError) -> ScanListing {
        var builder = ListingBuilder(target, options, control, listedAt: instant)
        try builder.build()
        return builder.listing
    }

    /// Why nothing can be listed at a path, as far as its own entries tell: nothing is there, it cannot be read, or it is a folder
    /// without anything.
    package static func obstacle(at path: FilePath) -> LeakScanError? {
        do throws(LeakScanError) {
            guard case .folder = try RepositoryLocator.place(at: path) else { return nil }
        } catch { return error }
        do throws(Errno) {
            return try Directory.names(in: path).isEmpty ? .empty(path.string) : nil
        } catch { return .unreadable(path, error) }
    }

    /// Searches what was listed.
    ///
    /// - Parameters:
    ///   - listing: made before `terms` were loaded.
    ///   - terms: what to look for.
    ///   - recognizer: tells a secret from a mere prefix.
    ///   - memory: what earlier scans have read; ignored if `options.full`.
    ///   - control: to stop it, and to see how far it is.
    ///   - deliver: called on this thread with each step's occurrences and units; an error stops the scan and
    ///     is thrown on.
    /// - Returns: what was done. Problems with single objects or files are in the summary, not thrown.
    package static func scan(
        _ listing: ScanListing,
        terms: SearchTerms,
        recognizer: any SecretRecognizer = NoSecretsKnown(),
        memory: any ScanMemory = NoScanMemory(),
        options: ScanOptions = ScanOptions(),
        control: ScanControl = ScanControl(),
        deliver: (ScanBatch) throws -> Void
    ) throws -> ScanSummary {
        try withoutActuallyEscaping(deliver) { deliver in
            let run = ScanRun(
                listing: listing,
                context: SearchContext(
                    finder: HitFinder(
                        terms: terms, recognizer: recognizer, engine: options.engine,
                        searchesShapes: options.searchesShapes), options: options, control: control),
                memory: memory, deliver: deliver)
            try run.perform()
            return run.summary
        }
    }
}
