import Foundation
import Testing

/// The Debian package that `make deb` has left in the source, on a system of its own. `make package-test` runs it.
@Suite(
    "The Debian package", .serialized, .booted, .timeLimit(.minutes(30)),
    .enabled(if: BootedSystem.isPossible, "needs root that may make namespaces, systemd and util-linux"),
    .enabled(if: ProcessInfo.processInfo.environment["KEYVIGIL_PACKAGE"] != nil, "needs the package: make package-test")
)
struct PackageTests {
    private let system: BootedSystem
    private static let package = "/srv/keyvigil/source/keyvigil_*.deb"

    init() throws { system = try Booted.system }

    @discardableResult
    private func shell(_ script: String) throws -> String { try system.check("sh", "-ec", script) }

    /// Without what a container's image forbids its packages, and without a network.
    @discardableResult
    private func apt(_ command: String) throws -> String {
        try shell(
            """
            rm -f /usr/sbin/policy-rc.d
            DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
                -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 \(command) 2>&1
            """)
    }

    /// Puts the version before into /tmp/before.deb: the package that KEYVIGIL_BEFORE names, else this one; under another number.
    private func makePackageBefore() throws {
        var before = Self.package
        if let path = ProcessInfo.processInfo.environment["KEYVIGIL_BEFORE"], !path.isEmpty {
            before = "/tmp/given.deb"
            let text = try Data(contentsOf: URL(filePath: path)).base64EncodedString()
            try system.check("sh", "-ec", "base64 -d > \(before)", input: text)
        }
        try shell(
            """
            rm -rf /tmp/before; dpkg-deb -R \(before) /tmp/before
            sed -i 's/^Version: .*/Version: 0.0.1/' /tmp/before/DEBIAN/control
            dpkg-deb -b /tmp/before /tmp/before.deb
            """)
    }

    @Test("it is installed, used, upgraded while the service runs, removed and purged, and no key is lost")
    func life() throws {
        try makePackageBefore()
        #expect(try apt("install /tmp/before.deb").contains("keyvigil init"))
        #expect(try system.run(["systemctl", "is-active", "keyvigil"]).output == "inactive\n")
        try shell("mkdir /tmp/use && cd /tmp/use && AUTOPKGTEST_TMP=/tmp/use sh /srv/keyvigil/source/debian/tests/use")
        #expect(try system.check("systemctl", "is-active", "keyvigil") == "active\n")
        let before = try system.check("systemctl", "show", "-P", "MainPID", "keyvigil")

        let secret = try #require(
            try shell("keyvigil create cart --owner ana --json").firstMatch(of: #/"secret":"(.*?)"/#)
        ).1
        func isVerified() throws -> Bool { try system.run(["keyvigil", "verify"], input: String(secret)).status == 0 }
        #expect(try isVerified())
        let upgraded = try apt("install \(Self.package)")
        #expect(try isVerified())
        #expect(!upgraded.contains("keyvigil init"))
        #expect(try system.check("systemctl", "is-active", "keyvigil") == "active\n")
        #expect(try system.check("systemctl", "show", "-P", "MainPID", "keyvigil") != before)
        #expect(try system.check("keyvigil", "list").contains("shop"))

        let removed = try apt("remove keyvigil")
        #expect(try system.run(["systemctl", "is-active", "keyvigil"]).output == "inactive\n", "\(removed)")
        #expect(try system.run(["pgrep", "-x", "keyvigild"]).status == 1)
        #expect(try system.run(["test", "-e", "/usr/bin/keyvigil"]).status == 1)
        try system.check("test", "-e", "/etc/keyvigil/keyvigil.toml")

        let purged = try apt("purge keyvigil")
        #expect(purged.contains("kept: /var/lib/keyvigil /etc/keyvigil"), "\(purged)")
        try system.check("test", "-e", "/var/lib/keyvigil/keys.sqlite")
        try system.check("test", "-e", "/etc/keyvigil/conf.d/test.toml")
        #expect(try system.run(["test", "-e", "/etc/keyvigil/keyvigil.toml"]).status == 1)
        // As printed.
        let command = try #require(purged.firstMatch(of: #/for good: (.*)/#)).1
        try shell(String(command))
        #expect(try system.run(["test", "-e", "/var/lib/keyvigil"]).status == 1)
    }

    @Test("an upgrade takes over a store of the first schema: its keys are verified, and its audit is whole")
    func oldStore() throws {
        try makePackageBefore()
        try apt("install /tmp/before.deb")
        // As the first version left it: see the head of the file.
        try shell(
            """
            cd /var/lib/keyvigil
            (echo 'PRAGMA application_id = 1263945548;'; cat /srv/keyvigil/source/Tests/KeyStoreTests/Fixtures/schema-1.sql) |
                sqlite3 keys.sqlite
            printf %32s | tr ' ' p > pepper
            chmod 0600 keys.sqlite pepper; chown keyvigil: keys.sqlite pepper
            systemctl enable --quiet keyvigil
            """)
        try apt("install \(Self.package)")
        try system.check("systemctl", "start", "keyvigil")
        #expect(
            try system.run(
                ["keyvigil", "verify"], input: "Bearer kv_live_kjAdzV7W_FMErWGsSnLVvJxKGzgZJ433rgBFYoN4Dwl7W"
            )
            .status == 0)
        try shell("keyvigil audit verify; keyvigil rotate billing > /dev/null; keyvigil list | grep devices")
        try apt("purge keyvigil")
        try shell("rm -rf /var/lib/keyvigil")
    }

    /// Types a command and a tab into a shell on a terminal, and waits for the name of the key. fish waits for what its terminal
    /// says of itself; zsh asks for a configuration where there is none.
    private static let typing = #"""
        import os, pty, re, select, sys
        open("/root/.zshrc", "w").write("autoload -U compinit; compinit -u; bindkey '^I' complete-word\n")
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "xterm"
            os.execvp(sys.argv[1], sys.argv[1:])
        shown, typed = b"", False
        while b"billing" not in re.sub(rb"\x1b\[[^a-zA-Z]*[a-zA-Z]|\x08", b"", shown):
            if not select.select([terminal], [], [], 20)[0]:
                sys.exit(repr(shown))
            part = os.read(terminal, 65536)
            shown += part
            if b"\x1b[c" in part:
                os.write(terminal, b"\x1b[?62;c")
            if not typed and re.search(rb"[#%>] ", shown):
                typed = os.write(terminal, b"keyvigil show bi\t")
        """#

    @Test("it has a page for each program, verb and file, and completions that the shells take")
    func manual() throws {
        try apt("install \(Self.package)")
        for page in ["1 keyvigil", "1 keyvigil-create", "8 keyvigild", "5 keyvigil.toml"] {
            #expect(try shell("man -w \(page)").hasPrefix("/usr/share/man/"), "\(page)")
        }
        try shell("bash -n /usr/share/bash-completion/completions/keyvigil")
        try shell("keyvigil create billing > /tmp/created")
        let completed = try shell(
            """
            cat > /tmp/complete.sh << 'END'
            . /usr/share/bash-completion/completions/keyvigil
            COMP_WORDS=(keyvigil show bi) COMP_CWORD=2 COMP_LINE='keyvigil show bi' COMP_POINT=16 COMP_TYPE=9
            _keyvigil keyvigil bi show
            printf '%s\\n' "${COMPREPLY[@]}"
            END
            bash /tmp/complete.sh
            """)
        #expect(completed.split(separator: "\n") == ["billing"], "\(completed)")
        try system.write(Self.typing, to: "/tmp/type.py")
        for shell in ["zsh -i", "fish -i"] {
            let shown = try system.run(["python3", "/tmp/type.py"] + shell.split(separator: " ").map(String.init))
            #expect(shown.status == 0, "\(shell): \(shown)")
        }
        try apt("purge keyvigil")
    }
}
