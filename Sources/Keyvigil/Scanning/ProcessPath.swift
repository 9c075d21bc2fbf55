internal import LeakScan
internal import SystemPackage
internal import Systemd

/// Names processes by what stays the same when they start again.
enum ProcessPath {
    /// The path of a file of a process with the name of its unit, or of its program, in the place of its number:
    /// `shop.service/environ` for `4711/environ`. Nil for a file of another kind.
    ///
    /// - Parameter folder: where the kernel shows the processes.
    static func named(_ path: FilePath, in folder: FilePath) -> FilePath? {
        let parts = Array(path.components)
        guard parts.count == 2, !parts[0].string.isEmpty,
            parts[0].string.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            Scanner.showsProcesses(folder)
        else { return nil }
        let process = folder.appending(parts[0])
        guard let name = unit(of: process) ?? program(of: process),
            let component = FilePath.Component(name.replacing("/", with: "_"))
        else { return nil }
        return FilePath(root: nil, components: component, parts[1])
    }

    /// The service that a process belongs to (cgroups(7)); nil outside of services.
    private static func unit(of process: FilePath) -> String? {
        guard let text = text(of: process.appending("cgroup")) else { return nil }
        return text.split(whereSeparator: { $0 == "/" || $0 == "\n" }).last { $0.hasSuffix(".service") }.map(
            String.init)
    }

    private static func program(of process: FilePath) -> String? {
        text(of: process.appending("comm")).map { String($0.prefix { $0 != "\n" }) }
    }

    private static func text(of file: FilePath) -> String? {
        guard let bytes = try? SmallFile.bytes(of: file.string) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
