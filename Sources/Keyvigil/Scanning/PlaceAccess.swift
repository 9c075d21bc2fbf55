internal import Errors
internal import Glibc
internal import Keys
internal import LeakScan
internal import SystemPackage

/// Whether the service may read a watched place, and the command by which it may.
struct PlaceAccess {
    /// Nil where this process looks for itself.
    private let user: ServiceUser?

    /// - Parameter isService: whether the configuration is the service's; one of a person's own is for that person to read.
    init(asService isService: Bool) { user = isService ? ServiceUser() : nil }

    /// A place with something to do about it.
    struct Problem {
        let path: String
        let message: String
        let remedy: String
        let isMissing: Bool
    }

    /// What is wrong with the places of a configuration, so far as that shows without a scan. Sources are read by a right that the
    /// service has from its unit, which does not show here.
    func problems(_ settings: Configuration.ScanSettings) -> [Problem] {
        act {
            ScanTarget.all(in: settings).filter { !$0.isOfSource(in: settings) }.compactMap {
                problem($0, isOfRepositories: $0.isOfRepositories(in: settings))
            }
        }
    }

    /// - Throws: ``InputError`` for the first file that the service may not read, with the command by which it may.
    func requireReadable(_ files: [String]) throws(InputError) {
        let closed = act { files.lazy.compactMap { file in Self.barrier(to: file).map { (file, $0.remedy) } }.first }
        if let (file, remedy) = closed {
            throw InputError(
                "\(DisplayText.escaped(file)) cannot be read: permission denied\(who)", hint: remedy + afterwards)
        }
    }

    /// Runs `body` while files are used as the service does.
    func act<Value>(_ body: () -> Value) -> Value { user.map { $0.act(body) } ?? body() }

    private func problem(_ target: ScanTarget, isOfRepositories: Bool) -> Problem? {
        // Patterns are looked up in the folder before their first wildcard.
        let path = Glob.isPattern(target.path) ? Self.fixedPart(of: target.path) : target.path
        if let barrier = Self.barrier(to: path) {
            return Problem(
                path: target.path,
                message: "\(DisplayText.name(path, limit: 1000)): permission denied\(who)",
                remedy: isOfRepositories ? barrier.remedy + afterwards : ScanSource.readingFiles, isMissing: false)
        }
        guard let obstacle = target.presentProblem else {
            return Self.unreadable(in: path).map { inner in
                Problem(
                    path: target.path, message: "\(DisplayText.name(inner, limit: 1000)): permission denied\(who)",
                    remedy: isOfRepositories ? Self.opening(path) + afterwards : ScanSource.readingFiles,
                    isMissing: false)
            }
        }
        return Problem(
            path: target.path, message: obstacle.message, remedy: obstacle.remedy, isMissing: obstacle.isMissing)
    }

    /// The service looks again at once, if it runs.
    private var afterwards: String {
        user == nil ? "" : " && systemctl try-reload-or-restart \(ServiceUser.name)"
    }

    private var who: String { user == nil ? "" : " for the user \(ServiceUser.name)" }

    /// The first part of a path that cannot be entered or read, and what opens it. Nil also where nothing is there.
    private static func barrier(to path: String) -> (part: String, remedy: String)? {
        var part = FilePath("/")
        let components = Array(FilePath(path).components)
        for (index, component) in components.enumerated() {
            guard canEnter(part) else {
                // Those below it may be closed too; from outside that does not show.
                var closed = [part]
                for component in components[index...].dropLast() {
                    part.append(component)
                    closed.append(part)
                }
                let folders = closed.map(\.string)
                return (
                    closed[0].string,
                    "setfacl -m u:\(ServiceUser.name):x \(arguments: folders) && \(command: opening(path))"
                )
            }
            part.append(component)
            guard index == components.count - 1 else { continue }
            if !canRead(part) { return (part.string, opening(path)) }
        }
        return nil
    }

    /// What lets the service read all of a place, now and later.
    private static func opening(_ path: String) -> String {
        let user = ServiceUser.name
        return "setfacl -R -m \(argument: "u:\(user):rX,d:u:\(user):rX") \(argument: path)"
    }

    /// The first entry below a folder that cannot be read, of as many as are looked at.
    private static func unreadable(in path: String) -> String? {
        var waiting = [FilePath(path)]
        var looked = 0
        while let folder = waiting.popLast(), looked < mostEntries {
            guard let names = try? Directory.names(in: folder) else {
                if !isReadable(folder) { return folder.string }
                continue
            }
            for name in names {
                looked += 1
                let entry = folder.appending(name)
                guard let kind = kind(of: entry) else { continue }
                guard isReadable(entry) else { return entry.string }
                if kind == S_IFDIR { waiting.append(entry) }
            }
        }
        return nil
    }

    /// A large repository is not read whole to see whether it may be.
    private static let mostEntries = 20_000

    private static func fixedPart(of pattern: String) -> String {
        let parts = pattern.split(separator: "/", omittingEmptySubsequences: false)
        let fixed = parts.prefix { !Glob.isPattern(String($0)) }.joined(separator: "/")
        return fixed.isEmpty ? "/" : fixed
    }

    /// Whether what is in a folder can be reached.
    private static func canEnter(_ folder: FilePath) -> Bool {
        var status = stat()
        // Looking up a name needs the right to search, whether or not it is there.
        return unsafe lstat(folder.appending("..").string, &status) == 0 || errno != EACCES
    }

    private static func canRead(_ path: FilePath) -> Bool { kind(of: path) == nil || isReadable(path) }

    /// Regular files and folders; nil for anything else, and for what is not there.
    private static func kind(of path: FilePath) -> UInt32? {
        var status = stat()
        guard unsafe lstat(path.string, &status) == 0 else { return nil }
        let kind = status.st_mode & S_IFMT
        return kind == S_IFREG || kind == S_IFDIR ? kind : nil
    }

    private static func isReadable(_ path: FilePath) -> Bool {
        let options: FileDescriptor.OpenOptions = [.nonBlocking, .closeOnExec, .noFollow]
        do { try FileDescriptor.open(path, .readOnly, options: options).close() } catch {
            return (error as? Errno) != .permissionDenied
        }
        return true
    }
}
