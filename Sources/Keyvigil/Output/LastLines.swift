/// Lines that are printed at once, or of which only the last ones are, at the end.
struct LastLines {
    private let most: Int?
    private var held: [String] = []
    private var isFinished = false

    /// - Parameter most: how many lines are printed; nil for all.
    init(_ most: Int?) { self.most = most }

    mutating func add(_ line: String) {
        guard let most, !isFinished else { return Terminal.print(line) }
        held.append(line)
        if held.count >= 2 * max(most, 64) { held.removeFirst(held.count - most) }
    }

    /// Prints what was held back; what is added from now on is printed at once.
    mutating func finish() {
        if let most { for line in held.suffix(most) { Terminal.print(line) } }
        held = []
        isFinished = true
    }
}
