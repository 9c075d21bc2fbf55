/// What a key may do: everything, or a list of permissions such as `read` and `mcp:write`.
package struct PermissionSet: Hashable, Sendable {
    /// The permissions in sorted order, without duplicates; `["*"]` for all.
    package let permissions: [String]

    package static let all = PermissionSet(unchecked: ["*"])

    private init(unchecked permissions: [String]) { self.permissions = permissions }

    package var isAll: Bool { permissions == ["*"] }

    /// Parses permissions. An item may itself be a list separated by commas or spaces.
    ///
    /// - Throws: ``InputError`` for an empty list and for what ``checked(_:)`` refuses.
    package init(parsing items: [String]) throws(InputError) {
        var found: [String] = []
        for item in items.flatMap({ $0.split { $0 == "," || $0 == " " } }).map(String.init) {
            found.append(try Self.checked(item))
        }
        guard !found.isEmpty else {
            throw InputError("the list of permissions is empty", hint: "name at least one, or * for all")
        }
        permissions = found.contains("*") ? ["*"] : found.distinctByBytes
    }

    /// Checks one permission: letters, digits and `_ . : -`, in non-empty parts separated by colons. `*` alone allows
    /// everything; as the last part it allows everything below the parts before it. It is refused anywhere else.
    package static func checked(_ text: String) throws(InputError) -> String {
        let allowed = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "_.:-*".utf8.contains(byte)
            }
        }
        guard allowed, (1...100).contains(text.utf8.count) else {
            throw InputError(
                "\(DisplayText.quoted(text, limit: 64)) is not a permission",
                hint: "use letters, digits and _ . : - (at most 100), such as read or mcp:write, or * for all")
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard !parts.contains(where: \.isEmpty) else {
            throw InputError(
                "'\(text)' is not a permission: a part of it is empty",
                hint: "write each part between colons: mcp:write")
        }
        guard parts.dropLast().allSatisfy({ !$0.contains("*") }), parts.last == "*" || !text.contains("*") else {
            throw InputError(
                "the star in '\(text)' is in the wrong position",
                hint: "write * for everything, or mcp:* for everything that begins with mcp:")
        }
        return text
    }

    /// Whether the set allows a permission. `mcp:*` allows every permission that begins with `mcp:`.
    package func allows(_ permission: String) -> Bool {
        permissions.contains { held in
            if held == "*" || held.isExactly(permission) { return true }
            return held.hasSuffix(":*") && permission.startsExactly(with: held.dropLast())
        }
    }

    /// The form in which the store keeps a set: permissions separated by spaces, as in RFC 6749, section 3.3.
    package var stored: String { permissions.joined(separator: " ") }
    package init(stored text: String) { permissions = text.split(separator: " ").map(String.init) }
}
