@testable import Systemd

/// Passes a descriptor to a closure that runs once.
final class Held {
    private var descriptor: Descriptor?

    init(_ descriptor: consuming Descriptor) { self.descriptor = consume descriptor }

    func take() -> Descriptor {
        guard let taken = descriptor.take() else { preconditionFailure("a descriptor is taken once") }
        return taken
    }
}
