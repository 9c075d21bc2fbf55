/// How a scan is made.
package struct ScanOptions: Sendable {
    /// Which search the scan uses. All find the same; the slower ones stand as references.
    package enum Engine: String, Sendable, CaseIterable {
        /// Compares every term at every position.
        case naive
        /// One byte at a time, with a filter on the first two bytes.
        case scalar
        /// Vector instructions look for the brands.
        case vector
        /// The vector search, in deltas only on what was inserted and on the seams.
        case seams
    }

    /// Read everything, whatever is remembered.
    package var full: Bool = false
    /// Report every object that holds a term, not only where it was introduced.
    package var allOccurrences: Bool = false
    /// Scanning threads; the caller's thread counts as one of them.
    package var threads: Int = 2
    package var engine: Engine = .seams
    /// Search the working tree, or the files of a folder.
    package var searchesFiles: Bool = true
    /// Search what git ignores in working trees, too.
    package var searchesIgnored: Bool = false
    /// Look at the states of plain files when they are read, not when they are listed. That saves time, but such files are
    /// neither asked of the memory nor remembered, and nobody knows beforehand how long they are.
    package var defersFileStates: Bool = false
    /// Search the object databases, the ref names and the git directories' own files.
    package var searchesHistory: Bool = true
    /// Map packs where that is possible; else they are read. What is found is the same.
    package var mapsPacks: Bool = true
    /// Objects longer than this are read as a stream, in bytes.
    package var streamingThreshold: Int = 16 << 20
    /// The most memory that one thread holds in rebuilt objects, in bytes. An object that is a delta and
    /// needs more is a problem, not a crash.
    package var memoryPerThread: Int = 24 << 20
    /// The same for what grows from a base of more than a third of ``memoryPerThread``, and for what proves to need more
    /// than that: one thread goes through it alone, in the end.
    package var memoryForLargeObjects: Int = 100 << 20
    /// So many hits one thread keeps of the objects that others build on, in 32 bytes each; the others are found again.
    package var mostHitsHeld: Int = 200_000
    /// The most that one thread rebuilds of one pack, in bytes, or 1,000 times the pack's length if that is more: 500 GB
    /// pass in some minutes, and a pack could be made that goes on for years.
    package var mostRebuilt: UInt64 = 500 << 30
    /// How often it is noted which tree holds what, for following hits up to their commits: enough for a secret in a thousand
    /// versions of a file. More is found once more when it is needed, which takes time instead of memory.
    package var mostTreeEdges: Int = 500_000
    /// How far hits are followed through history.
    package var tracing = TraceBounds()
    /// The most that one object, or file, may inflate to before the rest of it is given up and reported, in
    /// bytes.
    package var longestObject: UInt64 = 64 << 30
    /// Unpack the entries of plain zip and gzip files at once where that is possible; else in pieces, with libarchive. What is
    /// found is the same.
    package var unpacksWholeEntries: Bool = true
    /// How deep archives are looked into that lie in archives.
    package var archiveDepth: Int = 4
    /// The most entries of an archive, and of those in it.
    package var archiveEntries: Int = 200_000
    /// How many times its own size an archive may hold, beyond 64 MiB, and the most of all, in bytes.
    package var archiveRatio: Int = 128
    package var archiveBytes: UInt64 = 4 << 30
    /// Where tables of a repository's objects are.
    package var scratch = ScratchSpace()
    /// A file that changed so shortly before the listing could change again behind the same timestamps; it is
    /// searched, but not remembered. In nanoseconds: two seconds is the coarsest clock of a file system in
    /// use.
    package var racyNanoseconds: Int64 = 2_000_000_000

    package init() {}
}
