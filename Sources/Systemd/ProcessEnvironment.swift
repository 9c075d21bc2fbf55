import CLinux
internal import Glibc

/// The environment of the process, read without Foundation.
package enum ProcessEnvironment {
    /// A copy of all variables; the first of two of the same name wins. Not to be called while another thread
    /// changes the environment (Keyvigil never does).
    package static var current: [String: String] {
        var variables: [String: String] = [:]
        // An array of C strings, terminated by NULL: environ(7).
        guard var next = unsafe keyvigil_environ() else { return [:] }
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                let name = String(text[..<equals])
                if variables[name] == nil { variables[name] = String(text[text.index(after: equals)...]) }
            }
            unsafe next += 1
        }
        return variables
    }
}
