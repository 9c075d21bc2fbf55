internal import KeyStore
internal import Keys
internal import LeakScan

/// What the daemon says of itself on SIGUSR2.
struct StatusReport {
    var keys: Int
    var undelivered: Int
    var expiry: (nextDue: Instant?, lastSweep: Instant?)
    var scans: ScanService.State
    var delivery: (trouble: String?, readsBack: Bool)
    var trouble: String?
    var audit: AuditEnd?

    var alert: Alert {
        var parts = ["\(keys) active keys"]
        parts.append(expiry.nextDue.map { "the next date is \($0)" } ?? "no date lies ahead")
        if let last = expiry.lastSweep { parts.append("last sweep \(last)") }
        if let progress = scans.progress, scans.isRunning {
            parts.append(
                "scanning \(scans.places) places, \(ByteCount.text(progress.bytesDone))"
                    + (progress.bytesTotal.map { " of \(ByteCount.text($0))" } ?? ""))
        } else {
            parts.append(scans.lastFinished.map { "last scan of \(scans.places) places \($0)" } ?? "no scan yet")
        }
        parts.append("\(undelivered) alerts undelivered")
        if scans.isRunning, let place = scans.place { parts.append("at \(DisplayText.name(place))") }
        let troubles = [trouble, delivery.trouble].compactMap(\.self)
        parts += troubles
        var fields = JournalMark.fields(audit)
        if !troubles.isEmpty { fields[.reason] = troubles.joined(separator: "; ") }
        return Alert(
            kind: .daemonStatus, priority: .info, message: Wording(words: parts.joined(separator: "; ")), fields: fields
        )
    }
}
