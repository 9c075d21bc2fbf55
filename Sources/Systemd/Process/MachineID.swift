internal import CSystemd

/// Names the machine, without giving away its id (sd_id128_get_machine_app_specific(3)): a hash of it that is Keyvigil's alone.
///
/// Unsafe: libsystemd writes the 16 bytes of one value, which are copied.
package enum MachineID {
    /// Of Keyvigil; chosen at random once.
    private static let program: [UInt8] = [
        0x4e, 0x1b, 0x92, 0xd6, 0x7a, 0x05, 0x4c, 0x3f, 0xa8, 0xe1, 0x27, 0x90, 0x5d, 0xb3, 0x6c, 0x18,
    ]

    /// 16 bytes; nil where the machine has no id (machine-id(5)).
    package static var bytes: [UInt8]? {
        var program = sd_id128_t()
        unsafe withUnsafeMutableBytes(of: &program) { unsafe $0.copyBytes(from: Self.program) }
        var machine = sd_id128_t()
        guard unsafe sd_id128_get_machine_app_specific(program, &machine) >= 0 else { return nil }
        return unsafe withUnsafeBytes(of: machine) { unsafe Array($0) }
    }
}
