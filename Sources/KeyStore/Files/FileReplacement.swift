internal import CLinux
internal import Errors
internal import Glibc
package import Keys
internal import SystemPackage

/// New content for a file, in one step: no one reads a part of it, and the file keeps its owner, its permissions and its
/// extended attributes.
///
/// What can fail is done before the new content is known: the file is read, and a file beside it is made that has the room.
package final class FileReplacement {
    package let path: String
    /// What the file holds.
    package let content: Secret
    private let owner: DirectoryOwner
    private let status: FileStatus
    private var new: NewFile?

    /// The maximum size of a file, in bytes.
    package static let longest = 1 << 20

    /// - Parameters:
    ///   - path: absolute.
    ///   - growth: how much longer the new content may be, in bytes.
    /// - Throws: ``InputError`` for what cannot be replaced, with the reason.
    package init(_ path: String, growth: Int) throws {
        self.path = path
        let owner = try DirectoryOwner(ofFile: path)
        let old: FileDescriptor
        do {
            old = try owner.act { () throws(Errno) in try PrivateFile.open(path, followingSymlinks: false) }
        } catch { throw Self.refusal(path, error) }
        defer { try? old.close() }
        let status: FileStatus
        do {
            status = try FileStatus(of: old)
        } catch { throw Self.refusal(path, error) }
        guard status.names == 1 else {
            throw InputError(
                "\(DisplayText.name(path)) has \(status.names) names (hard links), of which only one would get the new content",
                hint: "make it a file of its own: cp -p FILE FILE.new && mv FILE.new FILE")
        }
        guard status.size <= Self.longest else {
            throw InputError("\(DisplayText.name(path)) has more than \(Self.longest) bytes")
        }
        try Self.requireReplaceable(path)
        do {
            content = try Self.read(old, count: Int(status.size))
            let made = try NewFile(for: path)
            let file = made.file
            try owner.act { try Self.prepare(file, like: old, status, size: Int(status.size) + growth) }
            new = consume made
        } catch let error as Errno { throw Self.refusal(path, error) }
        self.owner = owner
        self.status = status
    }

    private static func refusal(_ path: String, _ error: Errno) -> InputError {
        let name = DisplayText.name(path)
        switch error {
        case .noSuchFileOrDirectory:
            return InputError(
                "there is no file \(name)",
                hint: "make it first, with the owner and the permissions that it needs: install -m 600 /dev/null FILE")
        case .tooManySymbolicLinkLevels:
            return InputError(
                "\(name) is a symbolic link", hint: "name the file that it leads to, as readlink -f prints it")
        case .resourceTemporarilyUnavailable:
            return InputError("another process is about to replace \(name)")
        case .fileExists:
            return InputError("\(name).part is in the way", hint: "remove it, if it is of no use")
        default: return InputError("\(name) cannot be replaced: \(PrivateFile.reason(error))")
        }
    }

    /// What lets a file be written and yet not replaced: the last step would fail.
    private static func requireReplaceable(_ path: String) throws(InputError) {
        let name = DisplayText.name(path)
        if unsafe keyvigil_fixtures(path) & KEYVIGIL_MOUNT_ROOT != 0 {
            throw InputError(
                "\(name) is mounted there by itself (a bind mount), so it cannot be replaced",
                hint:
                    "name the file that is mounted: findmnt --noheadings --output SOURCE --mountpoint \(argument: path)"
            )
        }
        let folder = PrivateFile.directory(of: path)
        for fixed in [path, folder] {
            let fixtures = unsafe keyvigil_fixtures(fixed)
            let object = fixed == path ? "it" : "its folder"
            if fixtures & KEYVIGIL_IMMUTABLE != 0 {
                throw InputError(
                    "\(name) cannot be replaced: \(object) is immutable",
                    hint: "let it be changed: chattr -i \(argument: fixed)")
            }
            if fixtures & KEYVIGIL_APPEND_ONLY != 0 {
                throw InputError(
                    "\(name) cannot be replaced: \(object) can only be added to",
                    hint: "let it be changed: chattr -a \(argument: fixed)")
            }
        }
    }

    private static func read(_ file: FileDescriptor, count: Int) throws -> Secret {
        var content = Secret(capacity: count)
        var before = -1
        while content.count > before, content.count < count {
            before = content.count
            unsafe try content.append { room in unsafe try file.read(into: room) }
        }
        return content
    }

    private static func prepare(
        _ new: FileDescriptor, like old: FileDescriptor, _ status: FileStatus, size: Int
    ) throws(Errno) {
        let made = try FileStatus(of: new)
        if made.owner != status.owner || made.group != status.group {
            guard fchown(new.rawValue, status.owner, status.group) == 0 else { throw Errno(rawValue: errno) }
        }
        guard fchmod(new.rawValue, status.permissions) == 0 else { throw Errno(rawValue: errno) }
        let failure = keyvigil_copy_attributes(old.rawValue, new.rawValue)
        guard failure == 0 else { throw Errno(rawValue: failure) }
        let full = posix_fallocate(new.rawValue, 0, off_t(size))
        guard full == 0 else { throw Errno(rawValue: full) }
    }

    /// Replaces the file.
    ///
    /// - Throws: ``InputError`` where the file was changed since it was read, or the system refuses; then it is as it was.
    package func commit(_ content: borrowing Secret) throws {
        guard let new = new.take() else { return }
        let path = path
        do {
            let now = try owner.act { () throws(Errno) in try FileStatus(of: path) }
            guard now == status else { throw InputError("\(DisplayText.name(path)) was changed in the meantime") }
            try SecretOutput.write(content, to: new.file)
            guard ftruncate(new.file.rawValue, off_t(content.count)) == 0 else { throw Errno(rawValue: errno) }
            try PrivateFile.sync(new.file)
            try new.replace()
        } catch let error as Errno { throw Self.refusal(path, error) }
    }
}
