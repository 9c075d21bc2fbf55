# Keyvigil: build, try, test, install.
#
#   make                 the release build; installs missing Debian packages first
#   make run             a demonstration; REPO=/path runs it on a repository of yours
#   make test            everything that is tested, with what the tests need
#   make docs            the pages of the library for Swift servers, from its documentation comments
#   make layers          checks that modules and folders use each other one way only; docs/layers.svg shows how
#   make deb             a Debian package: keyvigil_VERSION_ARCHITECTURE.deb, here; then sudo apt install ./keyvigil_*.deb
#   make package-test    builds the package and tries it: lintian, its installation, use, upgrade, removal and purge, and the image for jobs
#   make soak            kills the daemon COUNT=1000 times and counts what the journal has
#   make soak-fleet      harms four hosts of a fleet, their network and their two servers COUNT=1000 times, and counts what they have done: half
#                        an hour; it needs root. SEED= makes other faults
#   make fuzz            feeds what reads foreign bytes with damaged ones: TIME=60 seconds for each target, TARGETS="idx delta"; then
#                        compares scans of COUNT=1000 damaged repositories with git; SEED= makes other ones
#   make hostile         scans hostile repositories of full size beside a leak, and prints the figures
#   make install         DESTDIR= and PREFIX= as usual; then see the lines it prints. make uninstall stops the service first
#   make sanitize        the tests with the thread sanitizer; SANITIZER=address for the other
#   make oracle REPOSITORY=/path   compares the scan of a repository with a search of every byte of its objects
#   make toml-test SUITE=/path   runs the public suite of TOML, a clone of github.com/toml-lang/toml-test
#   make bench-latency   measures how soon after an expiry the journal has its entry
#   make bench-scan REPOS="/path/to/a.git"   measures scans beside git, rg and other scanners
#   make bench-socket    measures verifications through the socket beside bare answers; SCAN=/path also while that is scanned
#   make bench-fleet     measures a fleet of two members with a PostgreSQL of its own; KEYS=20000
#   make deps            installs missing Debian packages, and nothing when there are none

SHELL := /bin/sh
.DELETE_ON_ERROR:

PREFIX ?= /usr
DESTDIR ?=
SYSCONFDIR ?= /etc
# systemd looks for units, users and catalogues of packages here, whatever PREFIX is.
SYSTEMDDIR ?= $(PREFIX)/lib/systemd
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
DOCDIR ?= $(PREFIX)/share/doc/keyvigil
DATADIR ?= $(PREFIX)/share/keyvigil
MANDIR ?= $(PREFIX)/share/man
SOCKETS := keyvigil.socket keyvigil-hook.socket keyvigil-read.socket
# Where the shells look for completions of packages.
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR ?= $(PREFIX)/share/zsh/vendor-completions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d

SWIFT ?= swift
# Warnings are errors by Package.swift; this makes an import that no dependency declares one too.
CHECKS := --explicit-target-dependency-import-check error
# Swift's own lld packs the addresses that the loader fills in, which takes a third of the time of a start and a megabyte. Nothing
# is exported: no library is loaded that would look for a symbol of ours.
LINK := -Xswiftc -use-ld=lld -Xlinker --icf=safe -Xlinker -z -Xlinker pack-relative-relocs -Xlinker --no-export-dynamic \
    -Xlinker --exclude-libs=ALL
# What Debian's dpkg-buildflags(1) asks of C and of the linker, as far as it applies to Swift, which checks bounds itself. Swift
# makes position-independent programs anyway, and Package.swift defines _FORTIFY_SOURCE.
HARDENING := -Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now -Xcc -fstack-protector-strong -Xcc -fstack-clash-protection
RELEASE := -c release --static-swift-stdlib $(CHECKS) $(LINK) $(HARDENING)
# The folder of the program to install: `make install BINARIES=.build/debug` takes another than the release build's.
BINARIES ?= .build/release
# Empty: the program is installed with its symbols in it.
STRIP ?= strip
OBJCOPY ?= objcopy
# Debuggers look here for the symbols of a program, by its build id, whatever PREFIX is.
DEBUGDIR ?= /usr/lib/debug/.build-id

# Debian 12's names of what the build needs, and of what the tests need besides.
BUILD_PACKAGES := libsqlite3-dev libsystemd-dev libgcrypt20-dev libdeflate-dev zlib1g-dev libarchive-dev libmicrohttpd-dev libpq-dev pkg-config git g++ ca-certificates \
    python3
TEST_PACKAGES := acl bsdutils systemd util-linux git sqlite3 procps strace e2fsprogs curl openssl nginx-light caddy zip bzip2 xz-utils \
    chromium poppler-utils prometheus python3-aiosmtpd ansible-lint postgresql pgbouncer iproute2 nftables
PACKAGING_PACKAGES := debhelper dpkg-dev fakeroot
PACKAGE_TEST_PACKAGES := buildah fish lintian man-db mmdebstrap zsh

.PHONY: all build deps test-deps swift run test test-programs test-booted test-fleet layers oracle toml-test fuzz hostile sanitize soak soak-fleet large-store bench-latency bench-scan bench-socket bench-fleet lint install uninstall \
    clean deb docs packaging-deps package-test-deps package-test

all: deps build

build: swift
	$(SWIFT) build $(RELEASE) --product keyvigil
	ln -f "$(BINARIES)/keyvigil" "$(BINARIES)/keyvigild"

swift:
	@command -v $(SWIFT) > /dev/null || { \
	    echo 'keyvigil: error: no Swift toolchain was found' >&2; \
	    echo 'hint: install Swift 6.2 or later from https://www.swift.org/install/linux and put it on the PATH' >&2; \
	    exit 1; }

deps: MISSING = $(BUILD_PACKAGES)
deps: swift
	@$(install-missing)

test-deps: MISSING = $(BUILD_PACKAGES) $(TEST_PACKAGES)
test-deps: swift
	@$(install-missing)

packaging-deps: MISSING = $(BUILD_PACKAGES) $(PACKAGING_PACKAGES)
packaging-deps: swift
	@$(install-missing)

package-test-deps: MISSING = $(BUILD_PACKAGES) $(TEST_PACKAGES) $(PACKAGING_PACKAGES) $(PACKAGE_TEST_PACKAGES)
package-test-deps: swift
	@$(install-missing)

# Installs those of $(MISSING) that dpkg does not know as installed. Nothing is asked, nothing is upgraded. The tests start web
# servers of their own; Debian's packages start them at once, which are ended again.
define install-missing
	command -v dpkg-query > /dev/null || { echo 'make deps: not Debian; needed are: $(MISSING)'; exit 0; }; \
	absent=; \
	for package in $(MISSING); do \
	    dpkg-query -W -f '$${Status}' "$$package" 2> /dev/null | grep -q ' installed$$' || absent="$$absent $$package"; \
	done; \
	[ -n "$$absent" ] || exit 0; \
	echo "installing:$$absent"; \
	if [ "$$(id -u)" = 0 ]; then as_root=; else as_root=sudo; fi; \
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q && \
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$absent && \
	case "$$absent" in *nginx*) $$as_root systemctl disable --now --quiet nginx 2> /dev/null || true ;; esac; \
	case "$$absent" in *caddy*) $$as_root systemctl disable --now --quiet caddy 2> /dev/null || true ;; esac; \
	case "$$absent" in *prometheus*) $$as_root systemctl disable --now --quiet prometheus 2> /dev/null || true ;; esac; \
	case "$$absent" in *postgresql*) $$as_root systemctl disable --now --quiet postgresql 2> /dev/null || true ;; esac; \
	case "$$absent" in *pgbouncer*) $$as_root systemctl disable --now --quiet pgbouncer 2> /dev/null || true ;; esac
endef

run: deps build
	@sh config/demo.sh "$(BINARIES)" $(if $(REPO),"$(REPO)")

lint: swift
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests
	@python3 Tests/Layering/labels.py
	@python3 Tests/Layering/commands.py
	@$(refuse-paths)

# Another user can exchange what a path names between the look and the call: the owner and the rights of a file are changed by
# its descriptor, and files are made by the user that owns them (KeyStore/Files/DirectoryOwner.swift).
refuse-paths = if grep -rnE '\b(l?chown|fchownat|chmod|fchmodat|setAttributes)[ ]*\(' Sources; then \
    echo 'error: use fchown(2) or fchmod(2), or make the file as its owner' >&2; exit 1; fi

test: test-deps lint
	$(SWIFT) build --build-tests $(CHECKS)
	@$(check-layers)
	@python3 Tests/Documents/quotes.py check
	@$(make-docs)
	@echo 'testing in three groups at once; each prints its output when it ends'
	@$(MAKE) --no-print-directory --jobs=3 --keep-going --output-sync=target test-programs test-booted test-fleet

# Most tests wait: for a process, a journal, a date. A process runs as many tests at once as the machine has processors, so the groups are
# processes of their own. Each runs the built tests as `swift test` does, which opens the database of the build and fails if another one
# opens it at the same moment.
RUN_TESTS = .build/debug/keyvigilPackageTests.xctest --testing-library swift-testing
test-programs:
	$(RUN_TESTS) --skip 'EndToEndTests|FleetTests'
test-booted:
	$(RUN_TESTS) --filter EndToEndTests
test-fleet:
	KEYVIGIL_LEDGER=fleet $(RUN_TESTS) --filter 'FleetTests|KeyStoreTests'

# What the compiler has recorded of who uses whom, against Tests/Layering/floors.txt.
check-layers = python3 Tests/Layering/layers.py check "$$($(SWIFT) build --show-bin-path)/index/store"
layers: test-deps
	$(SWIFT) build --build-tests $(CHECKS)
	@$(check-layers)

# The pages of the public library for Swift servers, in .build/docs. A link in its documentation that leads nowhere is an error.
docs: test-deps
	$(SWIFT) build --build-tests $(CHECKS)
	@$(make-docs)
	@echo 'python3 -m http.server -d .build/docs    shows them, below /documentation/keyverification'

define make-docs
	set -e; command -v docc > /dev/null || { echo 'make docs: left out: this toolchain has no docc' >&2; exit 0; }; \
	bin="$$($(SWIFT) build --show-bin-path)"; graphs=.build/symbols; mkdir -p "$$graphs"; \
	$(SWIFT) symbolgraph-extract -module-name KeyVerification -I "$$bin/Modules" $(MODULE_MAPS:%=-I %) -minimum-access-level public \
	    -target "$$($(SWIFT) -print-target-info | sed -n 's/^ *"triple": "\(.*\)",/\1/p')" -output-dir "$$graphs"; \
	docc convert Sources/KeyVerification/KeyVerification.docc --additional-symbol-graph-dir "$$graphs" --output-path .build/docs \
	    --fallback-display-name KeyVerification --fallback-bundle-identifier KeyVerification --warnings-as-errors
endef
MODULE_MAPS := $(dir $(wildcard Sources/*/module.modulemap Sources/*/include/module.modulemap))

# The package comes here; that with the symbols, and what dpkg writes about the build, to .build/deb.
DEBS := $(CURDIR)/.build/deb
deb: packaging-deps
	rm -rf keyvigil_*.deb "$(DEBS)" && mkdir -p "$(DEBS)"
	DESTINATION="$(DEBS)" dpkg-buildpackage --no-sign --build=binary \
	    --buildinfo-file="$(DEBS)/keyvigil.buildinfo" --buildinfo-option=-u"$(DEBS)" \
	    --changes-file="$(DEBS)/keyvigil.changes" --changes-option=-u"$(DEBS)"
	mv "$(DEBS)"/keyvigil_*.deb .

# The package on a booted systemd, in an image for jobs, and what lintian(1) says of it. Apart from `make test`, because a release
# build takes minutes. BEFORE=/path names a package of an earlier version, which is upgraded; else this one is renumbered.
package-test: package-test-deps deb
	lintian --fail-on warning --info --allow-root keyvigil_*.deb
	$(SWIFT) build --build-tests $(CHECKS)
	KEYVIGIL_PACKAGE="$(CURDIR)" KEYVIGIL_BEFORE="$(abspath $(BEFORE))" $(SWIFT) test --skip-build --filter PackageTests
	sh Tests/EndToEndTests/Support/image.sh keyvigil_*.deb

# The tests once more with the thread or the address sanitizer in all of our code: SANITIZER=thread or address. Without the
# booted systemd, in whose sandbox a sanitizer cannot run.
SANITIZER ?= thread
SANITIZE := --sanitize=$(SANITIZER) --scratch-path .build-$(SANITIZER)
sanitize: test-deps
	$(SWIFT) build --build-tests $(SANITIZE)
	TSAN_OPTIONS="halt_on_error=1 suppressions=$(CURDIR)/Tests/thread-sanitizer.supp" ASAN_OPTIONS=detect_leaks=0 \
	    $(SWIFT) test --skip-build $(SANITIZE) --skip EndToEndTests

# Kills the daemon COUNT times on a busy store and compares the store with the journal. SEED= makes other kills.
COUNT ?= 1000
SEED ?= 20260101
soak: test-deps
	$(SWIFT) build --build-tests $(CHECKS)
	KEYVIGIL_SOAK=$(COUNT) KEYVIGIL_SEED=$(SEED) $(SWIFT) test --skip-build --filter 'SoakTests/killed'

# Hosts and servers are network namespaces, with the release build.
soak-fleet: test-deps build
	python3 Tests/FleetSoak/soak.py "$(BINARIES)/keyvigil" $(COUNT) $(SEED)

# All cases that the public suite of TOML lists for version 1.0.0.
toml-test: test-deps
	@[ -n "$(SUITE)" ] || { echo 'make toml-test: SUITE=/path names a clone of https://github.com/toml-lang/toml-test' >&2; exit 1; }
	$(SWIFT) build --build-tests $(CHECKS)
	KEYVIGIL_TOML_SUITE="$(abspath $(SUITE))" $(SWIFT) test --skip-build --filter TOMLSuiteTests

# Every occurrence that a search of each byte of each object of REPOSITORY finds, and no other. With optimized tests: they read
# the whole repository five times. Across modules the compiler must not inline: it fails on code that is open to tests.
OPTIMIZED := -c release -Xswiftc -enable-testing -Xswiftc -disable-cmo --scratch-path .build/oracle
oracle: test-deps
	@[ -n "$(REPOSITORY)" ] || { echo 'make oracle: REPOSITORY=/path names a git repository' >&2; exit 1; }
	$(SWIFT) build --build-tests $(OPTIMIZED)
	KEYVIGIL_ORACLE_REPOSITORY="$(abspath $(REPOSITORY))" $(SWIFT) test --skip-build $(OPTIMIZED) --filter OracleTests/repositoryOfYourChoice

# Repositories that are made to hurt whoever scans them, as large as they get, with the release build on a booted systemd: prints
# how long a leak in another repository takes to the journal meanwhile, and the memory. Takes an hour and 10 GB of TMPDIR.
hostile: test-deps build
	$(SWIFT) build --build-tests $(CHECKS)
	KEYVIGIL_HOSTILE=yes KEYVIGIL_BINARIES="$(abspath $(BINARIES))" \
	    $(SWIFT) test --skip-build --filter HostileCorpusTests

# From the instant of an expiry to its entry in the journal, on a booted systemd, with the release build.
bench-latency: test-deps build
	$(SWIFT) build --build-tests $(CHECKS)
	KEYVIGIL_LATENCY=400 KEYVIGIL_BINARIES="$(abspath $(BINARIES))" \
	    $(SWIFT) test --skip-build --filter LatencyTests

# A new policy for a million keys (KEYS=), while the shipped unit is given 6 % of the machine's time. Takes minutes after the build.
KEYS ?= 1000000
large-store: test-deps build
	$(SWIFT) build --build-tests $(CHECKS)
	KEYVIGIL_KEYS=$(KEYS) KEYVIGIL_BINARIES="$(abspath $(BINARIES))" \
	    $(SWIFT) test --skip-build --filter LargeStoreTests

# libFuzzer, through Swift's own runtime, and damaged repositories beside git. Its corpora stay in .build/fuzz; the input of a crash is written here, and
# `.build/fuzz/debug/Fuzz TARGET crash-…` runs it again.
TIME ?= 60
FUZZ := .build/fuzz/debug/Fuzz
fuzz: test-deps
	$(SWIFT) build --product Fuzz --scratch-path .build/fuzz -Xswiftc -sanitize=fuzzer -Xswiftc -use-ld=lld \
	    -Xcc -fsanitize=fuzzer-no-link
	@for target in $(or $(TARGETS),$$($(FUZZ) list)); do \
	    echo "fuzzing $$target for $(TIME) s"; \
	    SWIFT_BACKTRACE=enable=no $(FUZZ) "$$target" ".build/fuzz/corpus-$$target" -max_total_time=$(TIME) -timeout=10 -rss_limit_mb=1024 \
	        -close_fd_mask=1 > ".build/fuzz/$$target.log" 2>&1 || { tail -n 30 ".build/fuzz/$$target.log"; exit 1; }; \
	    tail -n 1 ".build/fuzz/$$target.log"; \
	done
	$(SWIFT) build --build-tests $(CHECKS)
	KEYVIGIL_MUTATIONS=$(COUNT) KEYVIGIL_SEED=$(SEED) $(SWIFT) test --skip-build --filter RepositoryFuzzTests

bench-fleet: deps test-deps
	$(SWIFT) build $(RELEASE) --product FleetBenchmark
	"$(BINARIES)/FleetBenchmark" $(KEYS)

bench-scan: build
	$(SWIFT) build $(RELEASE) --product ScanBenchmark
	@BINARIES="$(BINARIES)" Benchmarks/scan.sh $(REPOS)

bench-socket: build
	@SCAN="$(SCAN)" bash Benchmarks/socket.sh "$(BINARIES)"

install:
	install -D -m 0755 "$(BINARIES)/keyvigil" "$(DESTDIR)$(PREFIX)/bin/keyvigil"
	@[ -z "$(STRIP)" ] || { $(move-symbols); }
	ln -sf keyvigil "$(DESTDIR)$(PREFIX)/bin/keyvigild"
	install -d -m 0755 "$(DESTDIR)$(SYSTEMDDIR)/system"
	sed 's|/usr/bin/keyvigil|$(PREFIX)/bin/keyvigil|g; s|/usr/share/doc/keyvigil|$(DOCDIR)|' \
	    systemd/keyvigil.service > "$(DESTDIR)$(SYSTEMDDIR)/system/keyvigil.service"
	chmod 0644 "$(DESTDIR)$(SYSTEMDDIR)/system/keyvigil.service"
	for socket in $(SOCKETS); do \
	    sed 's|/usr/share/doc/keyvigil|$(DOCDIR)|' "systemd/$$socket" > "$(DESTDIR)$(SYSTEMDDIR)/system/$$socket" && \
	    chmod 0644 "$(DESTDIR)$(SYSTEMDDIR)/system/$$socket" || exit 1; done
	install -D -m 0644 systemd/keyvigil.sysusers "$(DESTDIR)$(SYSUSERSDIR)/keyvigil.conf"
	install -D -m 0644 systemd/keyvigil.catalog "$(DESTDIR)$(SYSTEMDDIR)/catalog/keyvigil.catalog"
	install -d -m 0755 "$(DESTDIR)$(SYSCONFDIR)/keyvigil" "$(DESTDIR)$(SYSCONFDIR)/keyvigil/conf.d"
	@# A configuration that is there already is the administrator's; the new one goes beside it.
	@if [ -f config/keyvigil.toml ]; then \
	    target="$(DESTDIR)$(SYSCONFDIR)/keyvigil/keyvigil.toml"; \
	    if [ ! -e "$$target" ]; then install -m 0644 config/keyvigil.toml "$$target"; \
	    elif ! cmp -s config/keyvigil.toml "$$target"; then install -m 0644 config/keyvigil.toml "$$target.new"; \
	        echo "kept $$target; the new one is $$target.new"; fi; fi
	@install -d -m 0755 "$(DESTDIR)$(DATADIR)/issuers"
	@for file in config/issuers/*.toml; do \
	    [ ! -e "$$file" ] || install -m 0644 "$$file" "$(DESTDIR)$(DATADIR)/issuers/"; done
	@install -d -m 0755 "$(DESTDIR)$(DATADIR)/hooks"
	install -m 0755 config/hooks/pre-commit config/hooks/pre-receive "$(DESTDIR)$(DATADIR)/hooks/"
	@install -d -m 0755 "$(DESTDIR)$(DOCDIR)/examples"
	install -m 0644 systemd/examples/* "$(DESTDIR)$(DOCDIR)/examples/"
	@for file in $$(cd config/examples && find . -type f); do mode=0644; \
	    [ ! -x "config/examples/$$file" ] || mode=0755; \
	    install -D -m $$mode "config/examples/$$file" "$(DESTDIR)$(DOCDIR)/examples/$$file" || exit 1; done
	@for file in README.md CHANGELOG.md SECURITY.md LICENSE docs/*.md docs/*.svg; do \
	    [ ! -e "$$file" ] || install -m 0644 "$$file" "$(DESTDIR)$(DOCDIR)/"; done
	@# The manual and the completions are what the program says of itself.
	python3 docs/manual.py "$(BINARIES)/keyvigil" "$(DESTDIR)$(MANDIR)"
	install -d -m 0755 "$(DESTDIR)$(BASHCOMPDIR)" "$(DESTDIR)$(ZSHCOMPDIR)" "$(DESTDIR)$(FISHCOMPDIR)"
	@$(install-completions)
	@[ -n "$(DESTDIR)" ] || echo 'next: systemd-sysusers && journalctl --update-catalog && systemctl daemon-reload &&' \
	    'keyvigil init'

define install-completions
	set -e; umask 022; \
	"$(BINARIES)/keyvigil" --generate-completion-script bash | sed '1{/^#!/d}' > "$(DESTDIR)$(BASHCOMPDIR)/keyvigil"; \
	"$(BINARIES)/keyvigil" --generate-completion-script zsh > "$(DESTDIR)$(ZSHCOMPDIR)/_keyvigil"; \
	"$(BINARIES)/keyvigil" --generate-completion-script fish > "$(DESTDIR)$(FISHCOMPDIR)/keyvigil.fish"
endef

# Moves the symbols of the installed program to a file that gdb(1) and perf(1) find by the build id.
define move-symbols
	set -e; \
	program="$(DESTDIR)$(PREFIX)/bin/keyvigil"; \
	id=$$(readelf -n "$$program" | sed -n 's/^ *Build ID: //p'); \
	symbols="$(DESTDIR)$(DEBUGDIR)/$$(echo "$$id" | cut -c1-2)/$$(echo "$$id" | cut -c3-).debug"; \
	install -d -m 0755 "$${symbols%/*}"; \
	$(OBJCOPY) --only-keep-debug --compress-debug-sections "$$program" "$$symbols"; \
	chmod 0644 "$$symbols"; \
	$(STRIP) --strip-unneeded "$$program"
endef

# The configuration and the store stay: they are not the package's to remove.
uninstall:
	@# What runs would go on without its program.
	@[ -n "$(DESTDIR)" ] || [ ! -d /run/systemd/system ] || systemctl disable --now --quiet keyvigil $(SOCKETS) 2> /dev/null || true
	@# The symbols are named after the program's build id, so they go first.
	@program="$(DESTDIR)$(PREFIX)/bin/keyvigil"; [ ! -f "$$program" ] || { \
	    id=$$(readelf -n "$$program" | sed -n 's/^ *Build ID: //p'); \
	    rm -f "$(DESTDIR)$(DEBUGDIR)/$$(echo "$$id" | cut -c1-2)/$$(echo "$$id" | cut -c3-).debug"; }
	rm -f "$(DESTDIR)$(PREFIX)/bin/keyvigild" "$(DESTDIR)$(PREFIX)/bin/keyvigil"
	for socket in $(SOCKETS); do rm -f "$(DESTDIR)$(SYSTEMDDIR)/system/$$socket"; done
	rm -f "$(DESTDIR)$(SYSTEMDDIR)/system/keyvigil.service" "$(DESTDIR)$(SYSUSERSDIR)/keyvigil.conf"
	rm -f "$(DESTDIR)$(SYSTEMDDIR)/catalog/keyvigil.catalog"
	rm -f "$(DESTDIR)$(MANDIR)"/man[158]/keyvigil[-.d]* "$(DESTDIR)$(BASHCOMPDIR)/keyvigil" \
	    "$(DESTDIR)$(ZSHCOMPDIR)/_keyvigil" "$(DESTDIR)$(FISHCOMPDIR)/keyvigil.fish"
	rm -rf "$(DESTDIR)$(DATADIR)" "$(DESTDIR)$(DOCDIR)"
	@[ -n "$(DESTDIR)" ] || [ ! -d /run/systemd/system ] || systemctl daemon-reload

clean:
	$(SWIFT) package clean
