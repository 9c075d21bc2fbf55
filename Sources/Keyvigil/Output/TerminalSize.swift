internal import Glibc
internal import SystemPackage

/// The size of the terminal, as ioctl_tty(2) gives it. Unsafe code: the kernel fills a structure of its own.
enum TerminalSize {
    /// Columns; nil where standard output is no terminal, or one that does not know.
    static var columns: Int? {
        var size = winsize()
        guard unsafe ioctl(FileDescriptor.standardOutput.rawValue, UInt(TIOCGWINSZ), &size) == 0 else { return nil }
        return size.ws_col > 0 ? Int(size.ws_col) : nil
    }
}
