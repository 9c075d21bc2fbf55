internal import Glibc

/// Expands patterns of paths as a shell does (glob(7)). The only unsafe code of the folder: the C library's result is
/// read within its count of paths and freed.
enum Glob {
    /// Whether a text holds a character that means more than itself.
    static func isPattern(_ text: String) -> Bool { text.contains { "*?[".contains($0) } }

    /// The paths that match, sorted; none where nothing does.
    static func paths(matching pattern: String) -> [String] {
        var result = unsafe glob_t()
        defer { unsafe globfree(&result) }
        guard unsafe glob(pattern, 0, nil, &result) == 0, let found = unsafe result.gl_pathv else { return [] }
        return (0..<Int(unsafe result.gl_pathc)).compactMap { index in
            unsafe found[index].map { unsafe String(cString: $0) }
        }
    }

    /// Whether a path is one of those that a pattern names; `*` goes no further than the next `/`.
    static func matches(_ path: String, pattern: String) -> Bool {
        unsafe fnmatch(pattern, path, FNM_PATHNAME) == 0
    }
}
