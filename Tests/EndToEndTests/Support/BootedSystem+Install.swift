import Testing

extension BootedSystem {
    /// Where the libraries of Swift are found inside, when the programs need any.
    private static let runtimeInside = "/usr/lib/keyvigil-test-runtime"

    /// Installs Keyvigil as a package would: `make install`, the user, the catalogue, the unit.
    ///
    /// What `make install` makes is made once and copied from then on, over whatever a test has done to it.
    func install() throws {
        try check(
            "sh", "-ec",
            """
            [ -e "$2/made" ] || { rm -rf "$2"; make -s -C "$1" install BINARIES="$3" DESTDIR="$2/files"; touch "$2/made"; }
            cp -a --remove-destination "$2/files/." /
            """, "install", Self.sourceInside, "/srv/keyvigil/installation", Self.binariesInside)
        try check("systemd-sysusers", "keyvigil.conf")
        try check("journalctl", "--update-catalog")
        try lendRuntime()
        try check("systemctl", "daemon-reload")
    }

    /// A debug build loads Swift's libraries from its toolchain, where the unit's sandbox lets nothing be executed.
    /// They are lent a place of their own and a drop-in; a static build needs neither, and gets the unit as shipped.
    private func lendRuntime() throws {
        let libraries = try check("ldd", "/usr/bin/keyvigild").split(separator: "\n")
        let swift = libraries.compactMap { line -> String? in
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count >= 3, words[1] == "=>", words[0].hasPrefix("libswift") else { return nil }
            return String(words[2])
        }
        guard let first = swift.first, let slash = first.lastIndex(of: "/") else { return }
        // Once only: of mounts on top of each other systemd would open the wrong one.
        if try run(["mountpoint", "-q", Self.runtimeInside]).status != 0 {
            try check("mkdir", "-p", Self.runtimeInside)
            try check("mount", "--bind", String(first[..<slash]), Self.runtimeInside)
        }
        try write(
            """
            [Service]
            Environment=LD_LIBRARY_PATH=\(Self.runtimeInside)
            ExecPaths=\(Self.runtimeInside)

            """, to: "/etc/systemd/system/keyvigil.service.d/test-runtime.conf")
    }
}
