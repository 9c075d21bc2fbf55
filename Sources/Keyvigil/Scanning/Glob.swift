internal import Glibc
internal import Keys
internal import LeakScan
internal import SystemPackage

/// Expands patterns of paths as a shell does (glob(7)), and says what it could not look into.
enum Glob {
    /// What a pattern names.
    struct Expansion {
        /// Sorted.
        var paths: [String] = []
        /// Folders that cannot be read, so that it is unknown what matches there, and why.
        var unreadable: [(folder: String, why: String)] = []
    }

    /// Whether a text holds a character that means more than itself.
    static func isPattern(_ text: String) -> Bool { text.utf8.contains { "*?[".utf8.contains($0) } }

    /// The paths that match, sorted; none where nothing does.
    static func paths(matching pattern: String) -> [String] { expand(pattern).paths }

    /// Looks into each folder that a part of the pattern may name. A folder that is not there has no match.
    static func expand(_ pattern: String) -> Expansion {
        var found = Expansion()
        let isAbsolute = pattern.utf8.first == UInt8(ascii: "/")
        let parts = pattern.utf8.split(separator: UInt8(ascii: "/")).map(Substring.init)
        expand(parts[...], below: isAbsolute ? "/" : "", to: &found)
        found.paths = found.paths.distinctByBytes
        return found
    }

    private static func expand(_ parts: ArraySlice<Substring>, below folder: String, to found: inout Expansion) {
        guard let part = parts.first else {
            found.paths.append(folder)
            return
        }
        let base = folder.isEmpty || folder.utf8.last == UInt8(ascii: "/") ? folder : folder + "/"
        let rest = parts.dropFirst()
        guard isPattern(String(part)) else {
            let path = base + part
            // In the last place it has to be there; before that, looking into it says whether it is.
            if rest.isEmpty {
                do throws(Errno) {
                    if try FileExistence.exists(path) { found.paths.append(path) }
                } catch { found.unreadable.append((folder.isEmpty ? "." : folder, "\(error)")) }
            } else {
                expand(rest, below: path, to: &found)
            }
            return
        }
        do throws(Errno) {
            for name in try Directory.names(in: FilePath(folder.isEmpty ? "." : folder)).map(\.string)
            where unsafe fnmatch(String(part), name, FNM_PERIOD) == 0 {
                expand(rest, below: base + name, to: &found)
            }
        } catch {
            if error != .noSuchFileOrDirectory, error != .notDirectory {
                found.unreadable.append((folder.isEmpty ? "." : folder, "\(error)"))
            }
        }
    }

    /// Whether a path is one of those that a pattern names; `*` goes no further than the next `/`.
    static func matches(_ path: String, pattern: String) -> Bool {
        unsafe fnmatch(pattern, path, FNM_PATHNAME) == 0
    }
}
