import CMicrohttpdLoader

/// A request, as long as its handler runs.
///
/// Unsafe code: libmicrohttpd keeps the request in the connection's memory until it is answered, and passes lengths with all
/// pointers.
@safe package struct HTTPRequest: ~Copyable {
    package let method: String
    /// Without the query, percent-decoded.
    package let path: String
    package let body: [UInt8]
    private let connection: OpaquePointer

    init(method: String, path: String, body: [UInt8], connection: OpaquePointer) {
        self.method = method
        self.path = path
        self.body = body
        unsafe self.connection = connection
    }

    /// Calls `body` with each header, in their order.
    ///
    /// - Parameter secret: whether the value of a header is to be overwritten in the connection's memory after `body` has seen it.
    package func forEachHeader(
        secret: (_ name: String) -> Bool = { _ in false },
        _ body: (_ name: String, _ value: borrowing Span<UInt8>) -> Void
    ) {
        unsafe forEachValue(isHeader: true) { name, value in
            guard let start = value.baseAddress else { return }
            unsafe body(name, Span(_unsafeStart: start, count: value.count))
            if secret(name) { unsafe value.update(repeating: 0) }
        }
    }

    /// Calls `body` with each part of the query, in their order, percent-decoded; the value is nil where there is no `=`.
    package func forEachArgument(_ body: (_ name: String, _ value: String?) -> Void) {
        unsafe forEachValue(isHeader: false) { name, value in
            body(name, unsafe value.baseAddress == nil ? nil : unsafe String(decoding: value, as: UTF8.self))
        }
    }

    private typealias Visitor = (String, UnsafeMutableBufferPointer<UInt8>) -> Void

    private func forEachValue(isHeader: Bool, _ body: Visitor) {
        unsafe withoutActuallyEscaping(body) { body in
            var visitor: Visitor = unsafe body
            unsafe withUnsafeMutablePointer(to: &visitor) { visitor in
                let visit: keyvigil_http_visitor = { context, name, nameSize, value, valueSize in
                    let visitor = unsafe context?.assumingMemoryBound(to: Visitor.self)
                    let name = unsafe UnsafeRawBufferPointer(start: name, count: nameSize)
                    let start = unsafe UnsafeMutableRawPointer(value)?.assumingMemoryBound(to: UInt8.self)
                    unsafe visitor?.pointee(
                        String(decoding: name, as: UTF8.self),
                        UnsafeMutableBufferPointer(start: start, count: valueSize))
                }
                if isHeader {
                    unsafe keyvigil_http_headers(connection, visit, visitor)
                } else {
                    unsafe keyvigil_http_arguments(connection, visit, visitor)
                }
            }
        }
    }
}
