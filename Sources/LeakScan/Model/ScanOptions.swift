package import SystemPackage

/// Options of a scan.
package struct ScanOptions: Sendable {
    /// The search algorithm. All find the same; the slower ones are references for tests.
    package enum Engine: String, Sendable, CaseIterable {
        /// Compares every term at every position.
        case naive
        /// Checks each position with a filter on the first bytes.
        case scalar
        /// Searches for the brands with vector instructions.
        case vector
        /// The vector search; in deltas, only on inserted bytes and around the boundaries of copies.
        case seams
    }

    /// Read everything, ignoring the scan memory.
    package var full: Bool = false
    /// Report every object that contains a term, not only where it was introduced.
    package var allOccurrences: Bool = false
    /// The number of scanning threads, including the calling thread.
    package var threads: Int = 2
    package var engine: Engine = .seams
    /// Search the working tree, or the files of a directory.
    package var searchesFiles: Bool = true
    /// Also search files of working trees that git ignores.
    package var searchesIgnored: Bool = false
    /// The absolute paths of files that are searched although git ignores them.
    package var searchedAnyway: Set<[UInt8]> = []
    /// The paths of files and folders that are not looked at, since they are places of their own.
    package var otherPlaces: Set<[UInt8]> = []
    /// Determine the state of plain files when they are read, not when they are listed. This saves time, but such files
    /// are not looked up in the scan memory and not added to it, and their total size is not known in advance.
    package var defersFileStates: Bool = false
    /// Search for what has the shape of a secret, if the terms have shapes.
    package var searchesShapes: Bool = true
    /// Search the object databases, the names of refs and the files of the git directories.
    package var searchesHistory: Bool = true
    /// Map packs if possible, otherwise read them. The results are the same.
    package var mapsPacks: Bool = true
    /// The length, in bytes, above which an object is read as a stream.
    package var streamingThreshold: Int = 16 << 20
    /// The maximum memory of one thread for reconstructed objects, in bytes. A delta that needs more is reported as a
    /// problem.
    package var memoryPerThread: Int = 24 << 20
    /// The same for deltas whose base is longer than a third of ``memoryPerThread``, and for those that turn out to
    /// need more than that. One thread alone processes them, at the end.
    package var memoryForLargeObjects: Int = 100 << 20
    /// The maximum number of hits, of 32 bytes each, that one thread keeps for delta bases; others are searched for
    /// again.
    package var mostHitsHeld: Int = 200_000
    /// The maximum number of bytes that one thread reconstructs from one pack, or 1,000 times the length of the pack if
    /// that is more. 500 GB take some minutes, but a pack can be crafted that would take years.
    package var mostRebuilt: UInt64 = 500 << 30
    /// The maximum number of recorded edges from trees to their entries, which trace hits to their commits: enough for
    /// a secret in a thousand versions of a file. Edges beyond it are determined again when needed, which costs time
    /// instead of memory.
    package var mostTreeEdges: Int = 500_000
    /// The limits on following hits through history.
    package var tracing = TraceBounds()
    /// The maximum inflated length of one object or file, in bytes. The rest is not searched, which is reported.
    package var longestObject: UInt64 = 64 << 30
    /// Unpack the entries of simple zip and gzip files at once if possible, otherwise in pieces with libarchive. The
    /// results are the same.
    package var unpacksWholeEntries: Bool = true
    /// The maximum depth of archives within archives.
    package var archiveDepth: Int = 4
    /// The maximum number of entries of an archive, including those of archives in it.
    package var archiveEntries: Int = 200_000
    /// The maximum ratio of content to size of an archive, beyond 64 MiB, and the maximum content in bytes.
    package var archiveRatio: Int = 128
    package var archiveBytes: UInt64 = 4 << 30
    /// Opens files of the journal outside of repositories; nil: they are searched byte by byte, as other files are.
    package var journals: (any JournalOpener)?

    /// Called before the entries of a folder are read, or the file that is the target is looked at, on any thread. Not for git
    /// directories and folders of processes.
    package var willRead: (@Sendable (FilePath) -> Void)?
    /// Where the tables of objects are kept.
    package var scratch = ScratchSpace()
    /// A file that changed within this time before the listing could change again without a change of its timestamps,
    /// so it is searched but not added to the memory. In nanoseconds; two seconds is the coarsest timestamp of a file
    /// system in use.
    package var racyNanoseconds: Int64 = 2_000_000_000

    package init() {}

    /// The same in little memory: for a place that has taken too much. What needs more is reported as not searched.
    package var sparing: ScanOptions {
        var options = self
        options.threads = 1
        options.streamingThreshold = 4 << 20
        options.memoryPerThread = 8 << 20
        options.memoryForLargeObjects = 8 << 20
        options.mostHitsHeld = 20_000
        options.mostTreeEdges = 50_000
        return options
    }
}
