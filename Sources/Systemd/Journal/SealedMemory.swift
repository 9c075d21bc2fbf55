import CLinux
internal import Glibc

/// Anonymous memory with a descriptor, written once and sealed against changes: memfd_create(2).
///
/// journald maps the memory that it receives, and accepts it only with all four seals.
struct SealedMemory: ~Copyable {
    private let descriptor: Descriptor

    var descriptorNumber: Int32 { descriptor.number }

    init(_ bytes: [UInt8]) throws(SystemdError) {
        let descriptor = try Descriptor(
            unsafe keyvigil_make_memory("keyvigil-journal"), for: "make memory for a large journal entry")
        var written = 0
        while written < bytes.count {
            let (count, failure) = unsafe bytes.withUnsafeBytes { buffer -> (Int, Int32) in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[written...])
                let count = unsafe write(descriptor.number, rest.baseAddress, rest.count)
                return (count, errno)
            }
            if count < 0 && failure == EINTR { continue }
            guard count > 0 else { throw .cannot("fill memory for a large journal entry", failure) }
            written += count
        }
        guard keyvigil_seal_memory(descriptor.number) == 0 else {
            throw .cannot("seal memory for a large journal entry", errno)
        }
        self.descriptor = descriptor
    }
}
