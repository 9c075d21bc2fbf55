internal import SystemPackage

/// The descriptors 0, 1 and 2.
enum StandardStreams {
    /// Occupies those that the caller has closed. Otherwise the next file that is opened, the store it may be, would take
    /// their numbers, and what is printed would be written into it. They are opened the wrong way round, so that reading
    /// and writing fail as on a closed one.
    static func occupyClosed() {
        for (number, mode) in [(0, FileDescriptor.AccessMode.writeOnly), (1, .readOnly), (2, .readOnly)] {
            let stream = FileDescriptor(rawValue: Int32(number))
            // The lowest free number is taken (open(2)), and those below are in use by now.
            if (try? stream.duplicate().close()) == nil { _ = try? FileDescriptor.open("/dev/null", mode) }
        }
    }
}
