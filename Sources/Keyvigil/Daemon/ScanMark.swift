internal import CLinux
internal import Glibc
internal import Synchronization
internal import SystemPackage
internal import Systemd

/// The place that is being scanned, in a small file beside the store: what a daemon leaves there that was killed, by the limit of
/// its memory or by a signal, names the place that it was scanning.
///
/// The mark names the boot too: what a power failure leaves says nothing of the place. A daemon that stops in order takes the
/// mark away. It is not synced: it need only outlive the process. Usable from any thread.
final class ScanMark: Sendable {
    private let path: FilePath
    private let boot: String
    private let state = Mutex(State())

    private struct State {
        var file: FileDescriptor?
        var isClosed = false
    }

    /// Longer names are cut, in bytes.
    private static let longest = 16 << 10

    /// - Parameters:
    ///   - folder: of the store.
    ///   - name: of the lane.
    ///   - boot: identifies this start of the machine.
    init(folder: String, name: String, boot: String) {
        path = FilePath(folder).appending("\(name)-scan.place")
        self.boot = boot
    }

    /// The place that was being scanned when an earlier daemon ended, in this boot and not in order; nil where there was none.
    func left() -> String? {
        guard let bytes = try? SmallFile.bytes(of: path.string, limit: Self.longest) else { return nil }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: "\n", maxSplits: 1)
        return parts.count == 2 && parts[0] == boot ? String(parts[1]) : nil
    }

    /// Notes the place that is scanned from now on. Where the folder cannot be written to, there is no mark.
    func set(_ place: String) {
        state.withLock { state in
            guard !state.isClosed else { return }
            write(Array("\(boot)\n\(place)".utf8.prefix(Self.longest)), &state)
        }
    }

    /// No place is being scanned.
    func clear() { state.withLock { if $0.file != nil { write([], &$0) } } }

    /// Removes the mark, and sets none any more: the daemon ends in order.
    func remove() {
        state.withLock { state in
            state.isClosed = true
            try? state.file?.close()
            state.file = nil
        }
        _ = unsafe path.withPlatformString { unsafe unlink($0) }
    }

    private func write(_ bytes: [UInt8], _ state: inout State) {
        if state.file == nil {
            state.file = try? FileDescriptor.open(
                path, .writeOnly, options: [.create, .closeOnExec, .noFollow], permissions: .ownerReadWrite)
        }
        guard let file = state.file else { return }
        _ = try? file.writeAll(toAbsoluteOffset: 0, bytes)
        _ = ftruncate(file.rawValue, off_t(bytes.count))
    }
}
