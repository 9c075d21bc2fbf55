internal import CSystemd

extension JournalReader {
    /// The newest entry in all files that satisfies the matches, or nil if there is none.
    ///
    /// Changes the matches and the position of the reader.
    package mutating func find(_ matches: [JournalMatch]) throws(SystemdError) -> JournalRecord? {
        try newest(matches) ? try current() : nil
    }

    /// The subset of `values` for which the journal has an entry.
    ///
    /// Makes one look-up for each value, through the journal's hash tables, so the cost does not depend on the size of
    /// the journal. Changes the matches and the position of the reader.
    ///
    /// - Parameter also: Conditions on every entry, such as `_SYSTEMD_UNIT`, which a writer cannot forge.
    package mutating func present(
        field: String, values: some Sequence<String>, also: [JournalMatch] = []
    ) throws(SystemdError) -> Set<String> {
        var found: Set<String> = []
        try refresh()
        for value in values where try isPresent([JournalMatch(field, value)] + also) { found.insert(value) }
        return found
    }

    /// When journald received the newest entry of any program, in microseconds since the epoch; nil for an empty
    /// journal. Changes the matches and the position of the reader.
    package mutating func newestRealtime() throws(SystemdError) -> UInt64? {
        guard try newest([]) else { return nil }
        return try realtime()
    }

    /// The number of entries that satisfy the matches. Changes the matches and the position of the reader.
    package mutating func count(_ matches: [JournalMatch]) throws(SystemdError) -> Int {
        try refresh()
        try select(matches)
        try seek(.head)
        var count = 0
        while unsafe try move(sd_journal_next) { count += 1 }
        return count
    }

    private mutating func newest(_ matches: [JournalMatch]) throws(SystemdError) -> Bool {
        try refresh()
        return try isPresent(matches)
    }

    private mutating func isPresent(_ matches: [JournalMatch]) throws(SystemdError) -> Bool {
        try select(matches)
        let status = unsafe sd_journal_seek_tail(handle)
        guard status >= 0 else { throw .cannotReadJournal("search", -status) }
        return unsafe try move(sd_journal_previous)
    }
}
