/// What the searches of a scan share: what they look for, with which options, and how they are stopped.
struct SearchContext: Sendable {
    let finder: HitFinder
    var options: ScanOptions
    let control: ScanControl

    init(finder: HitFinder, options: ScanOptions = ScanOptions(), control: ScanControl = ScanControl()) {
        self.finder = finder
        self.options = options
        self.control = control
    }

    /// A copy for one thread.
    func forOneThread() -> SearchContext {
        SearchContext(finder: HitFinder(copyOf: finder), options: options, control: control)
    }
}
