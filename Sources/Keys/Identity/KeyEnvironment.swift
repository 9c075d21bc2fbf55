/// Where a key is meant to be used.
package enum KeyEnvironment: String, CaseIterable, Hashable, Sendable {
    case live, test, sandbox

    /// - Throws: ``InputError`` that lists the environments.
    package init(parsing text: String) throws(InputError) {
        // Some providers call the live environment production.
        guard let value = KeyEnvironment(rawValue: text == "production" ? "live" : text) else {
            let names = Self.allCases.map(\.rawValue)
            throw InputError(
                "\(DisplayText.quoted(text, limit: 64)) is not an environment",
                hint: DisplayText.suggestion(for: text, among: names)
                    ?? "use one of \(names.joined(separator: ", "))")
        }
        self = value
    }
}
