/// Where a key may be used: on all resources, including future ones, or on a named set.
package enum ResourceScope: Hashable, Sendable {
    case all
    /// Sorted, without duplicates, never empty.
    case named([String])

    /// Parses resource names. An item may itself be a list separated by commas. `all` on its own means all resources.
    ///
    /// - Throws: ``InputError`` for an empty list, an invalid name, and for `all` together with names.
    package init(parsing items: [String]) throws(InputError) {
        var found: [String] = []
        for item in items.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
            found.append(try NameRules.checked(String(item), what: "resource name", isExact: true))
        }
        found = found.distinctByBytes
        guard !found.isEmpty else {
            throw InputError("the list of resources is empty", hint: "name at least one, or all")
        }
        if found.contains("all") {
            guard found.count == 1 else {
                throw InputError("'all' is given together with other resources", hint: "give either all or names")
            }
            self = .all
        } else {
            self = .named(found)
        }
    }

    /// Whether the scope includes a resource: one of exactly these bytes. What only looks like it is another resource.
    package func includes(_ resource: String) -> Bool {
        switch self {
        case .all: true
        case .named(let names): names.contains { $0.isExactly(resource) }
        }
    }

    /// The form in which the store keeps a scope: null for all, otherwise names separated by line feeds, which a name
    /// cannot contain.
    package var stored: String? {
        switch self {
        case .all: nil
        case .named(let names): names.joined(separator: "\n")
        }
    }

    package init(stored text: String?) {
        self = text.map { .named($0.split(separator: "\n").map(String.init)) } ?? .all
    }

    /// Text for people: `all`, or the names separated by commas.
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
