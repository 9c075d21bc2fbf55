internal import Errors

/// The sockets of the daemon. Each answers one kind of question, and the group of its file decides who may ask it.
///
/// One socket for all would need to know who asks: but in the unit's own user namespace (PrivateUsers=yes) the kernel shows every
/// caller but root as nobody (unix(7), SO_PEERCRED). So the kernel compares the groups, when a caller connects.
enum SocketName: String, CaseIterable, Sendable {
    /// Verifications, for servers.
    case verify
    /// The questions of hooks.
    case hook
    /// Lists, for people.
    case read

    static let folder = "/run/keyvigil"

    /// What makes the library available that serves them, as a command.
    static let libraryRemedy = "apt install libmicrohttpd12 && systemctl restart keyvigil"

    /// Where the shipped unit puts it.
    var path: String {
        switch self {
        case .verify: "\(Self.folder)/keyvigil.sock"
        case .hook, .read: "\(Self.folder)/\(rawValue).sock"
        }
    }

    /// The unit that listens.
    var unit: String { self == .verify ? "keyvigil.socket" : "keyvigil-\(rawValue).socket" }

    /// Whose members may ask, in the shipped unit.
    var group: String { "keyvigil-\(rawValue)" }

    /// How someone gets the right to ask, as a command.
    var joining: String { "sudo usermod -aG \(argument: group) NAME" }
}
