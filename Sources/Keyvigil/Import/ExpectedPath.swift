internal import Keys

/// The paths of files in which a key is meant to be, as people give them.
enum ExpectedPath {
    /// - Returns: the paths, with one slash where several were written.
    /// - Throws: ``InputError`` for a path that is not absolute, or that a name cannot be.
    static func checked(_ paths: [String]) throws(InputError) -> [String] {
        var checked: [String] = []
        for text in paths.map(\.trimmed) where !text.isEmpty {
            let path = try NameRules.checked(text, what: "path", longest: longest, isExact: true)
            guard path.hasPrefix("/"), !path.hasSuffix("/") else {
                throw InputError(
                    "\(DisplayText.quoted(path)) is not the whole path of a file",
                    hint: "write it from the root: /etc/shop/env")
            }
            guard !path.split(separator: "/").contains(where: { $0 == "." || $0 == ".." }) else {
                throw InputError("the path \(DisplayText.quoted(path)) has . or .. in it", hint: "write it without")
            }
            checked.append("/" + path.unicodeScalars.split(separator: "/").map { String($0) }.joined(separator: "/"))
        }
        return checked
    }

    /// The maximum length of a path (PATH_MAX of limits.h).
    private static let longest = 4095
}
