/// Where a key may be used: on all resources, those of the future included, or on a named set.
package enum ResourceScope: Hashable, Sendable {
    case all
    /// Sorted, each once, never empty.
    case named([String])

    /// Reads resource names; each item may itself be a list with commas. `all` alone means all.
    ///
    /// - Throws: ``InputError`` for an empty list, an invalid name, and `all` beside names.
    package init(parsing items: [String]) throws(InputError) {
        var found = Set<String>()
        for item in items.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
            found.insert(try NameRules.checked(String(item), what: "resource name"))
        }
        guard !found.isEmpty else {
            throw InputError("the list of resources is empty", hint: "name at least one, or all")
        }
        if found.contains("all") {
            guard found.count == 1 else {
                throw InputError("'all' is given beside other resources", hint: "give either all or names")
            }
            self = .all
        } else {
            self = .named(found.sorted())
        }
    }

    /// Whether a resource lies within the scope.
    package func includes(_ resource: String) -> Bool {
        switch self {
        case .all: true
        // Canonically equivalent texts are equal.
        case .named(let names): names.contains(resource)
        }
    }

    /// The form in which the store keeps a scope: null for all, else names with a line break between (names
    /// hold no controls).
    package var stored: String? {
        switch self {
        case .all: nil
        case .named(let names): names.joined(separator: "\n")
        }
    }

    package init(stored text: String?) {
        self = text.map { .named($0.split(separator: "\n").map(String.init)) } ?? .all
    }

    /// For people: `all`, or the names with commas.
    package var summary: String {
        switch self {
        case .all: "all"
        case .named(let names): names.joined(separator: ", ")
        }
    }
}

extension JSONLine {
    /// Adds a scope: `"all"`, a list of names, or null.
    package mutating func add(_ name: String, _ scope: ResourceScope?) {
        switch scope {
        case .all?: add(name, "all")
        case .named(let names)?: add(name, names)
        case nil: add(name, String?.none)
        }
    }
}
