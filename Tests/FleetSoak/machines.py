"""The machines of a fleet in namespaces of this process: hosts with a journald each, servers of PostgreSQL, and the network between them."""
import json, os, re, shutil, signal, socket, subprocess, threading, time

NOBODY = 65534
DOMAIN = "example.org"


def run(*command, check=True, **options):
    """Runs a command to its end, and returns what it has printed."""
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def wait_until(what, condition, seconds=120):
    """Waits until a condition holds, and fails where it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"it did not come within {seconds} s: {what}")
        time.sleep(0.1)


class Machine:
    """A network namespace with one cable to the switch, which is the bridge of the surrounding namespace."""

    def __init__(self, name, address):
        self.name, self.address = name, address
        self.port = f"to-{name}"
        run("ip", "netns", "add", name)
        run("ip", "link", "add", self.port, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "link", "set", self.port, "master", "switch", "up")
        for command in (["addr", "add", f"{address}/24", "dev", "eth0"], ["link", "set", "lo", "up"], ["link", "set", "eth0", "up"]):
            run("ip", "-n", name, *command)

    @property
    def inside(self):
        return ["nsenter", f"--net=/run/netns/{self.name}", "--"]

    def set_cable(self, state, at_switch=True):
        """`up` or `down`. Without it at the switch, what is sent vanishes; at the machine, the kernel refuses to send."""
        if at_switch:
            run("ip", "link", "set", self.port, state)
        else:
            run("ip", "-n", self.name, "link", "set", "eth0", state)

    def lose(self, percent):
        """Drops packets at random, in both directions; 0: none."""
        rules = "".join(
            f"chain {hook} {{\ntype filter hook {hook} priority 0\n{interface} lo accept\nnumgen random mod 100 < {percent} drop\n}}\n"
            for hook, interface in (("input", "iifname"), ("output", "oifname")))
        text = "table inet loss\ndelete table inet loss\n" + (f"table inet loss {{\n{rules}}}\n" if percent else "")
        run(*self.inside, "nft", "-f", "-", input=text)


class Network:
    """The switch, and the authority whose certificates machines have."""

    def __init__(self, root, clock):
        self.directory = f"{root}/authority"
        # Certificates are valid from yesterday on, for hosts whose clock is behind.
        self.environment = {**os.environ, "LD_PRELOAD": clock}
        with open("/run/clock", "w") as file:
            file.write("-86400")
        os.mkdir(self.directory, 0o755)
        self.certificate = f"{self.directory}/ca.crt"
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "switch", "type", "bridge")
        run("ip", "link", "set", "switch", "up")
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "9",
                      "-subj", "/CN=soak", "-keyout", "ca.key", "-out", "ca.crt")

    def _openssl(self, *arguments):
        run("openssl", *arguments, cwd=self.directory, env=self.environment)

    def issue(self, name, common, directory, owner=0):
        """Makes a certificate and its key: NAME.crt and NAME.key in a directory."""
        with open(f"{self.directory}/names", "w") as file:
            file.write(f"subjectAltName=DNS:db1.{DOMAIN},DNS:db2.{DOMAIN}\n")
        key, certificate = f"{directory}/{name}.key", f"{directory}/{name}.crt"
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={common}",
                      "-keyout", key, "-out", "request")
        self._openssl("x509", "-req", "-in", "request", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "9",
                      "-extfile", "names", "-out", certificate)
        for file in (key, certificate):
            os.chmod(file, 0o600)
            os.chown(file, owner, owner)


class Server(Machine):
    """A server of PostgreSQL, which takes TLS connections alone."""

    def __init__(self, name, address, network, root, programs):
        super().__init__(name, address)
        self.network, self.programs = network, programs
        self.directory = f"{root}/{name}"
        self.data = f"{self.directory}/data"
        self.process = None
        os.mkdir(self.directory, 0o755)
        os.chown(self.directory, NOBODY, NOBODY)
        network.issue("copy", "copy", self.directory, NOBODY)

    @property
    def _unprivileged(self):
        return self.inside + ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]

    def _program(self, name, *arguments):
        run(*self._unprivileged, f"{self.programs}/{name}", *arguments, cwd="/")

    def make(self, logins):
        """Makes the first database.

        - logins: the authentication method of each login, by its name.
        """
        self._program("initdb", "-D", self.data, "-U", "keyvigil", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        self.network.issue("server", self.name, self.data, NOBODY)
        shutil.copy(self.network.certificate, self.data)
        with open(f"{self.data}/postgresql.conf", "a") as file:
            file.write("ssl = on\nssl_ca_file = 'ca.crt'\nlisten_addresses = '*'\nfsync = off\nmax_connections = 100\n"
                       "tcp_keepalives_idle = 5\ntcp_keepalives_interval = 2\ntcp_keepalives_count = 3\ntcp_user_timeout = 5000\n"
                       "wal_receiver_timeout = 5s\nwal_sender_timeout = 5s\nwal_keep_size = 256MB\ninclude 'soak.conf'\n")
        with open(f"{self.data}/pg_hba.conf", "w") as file:
            file.write("local all keyvigil trust\nhostssl replication copy 10.0.0.0/24 cert\n")
            file.writelines(f"hostssl fleet {login} 10.0.0.0/24 {method}\n" for login, method in logins.items())
        self.wait_for_standby(False)

    def copy(self, primary):
        """Becomes a standby of another server."""
        shutil.rmtree(self.data, ignore_errors=True)
        self._program(
            "pg_basebackup", "-D", self.data, "-c", "fast", "-R", "--no-sync", "-d",
            f"host={primary.name}.{DOMAIN} hostaddr={primary.address} user=copy sslmode=verify-full connect_timeout=5 "
            f"sslrootcert={self.network.certificate} sslcert={self.directory}/copy.crt sslkey={self.directory}/copy.key")
        self.wait_for_standby(False)

    def wait_for_standby(self, waits):
        """Whether a commit waits for a standby."""
        with open(f"{self.data}/soak.conf", "w") as file:
            file.write(f"synchronous_standby_names = '{'*' if waits else ''}'\n")
        if self.process:
            self.process.send_signal(signal.SIGHUP)

    def start(self):
        log = open(f"{self.directory}/log", "ab")
        self.process = subprocess.Popen(
            [*self._unprivileged, f"{self.programs}/postgres", "-D", self.data, "-k", self.directory],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
        log.close()
        wait_until(f"{self.name} is ready", self._is_ready)

    def _is_ready(self):
        if self.process.poll() is not None:
            # The processes of one that was killed have not all ended yet.
            return self.start() or True
        try:
            return self.sql("SELECT 1") == "1"
        except RuntimeError:
            return False

    def kill(self):
        """Kills the postmaster as a crash does; its processes end when they notice."""
        self.process.kill()
        self.process.wait()

    def processes(self):
        """The postmaster, and the processes that it has."""
        found = [self.process.pid]
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat") as file:
                    parent = int(file.read().rsplit(")", 1)[1].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == self.process.pid:
                found.append(int(entry))
        return found

    def send(self, number, to_all=True):
        for process in self.processes() if to_all else [self.process.pid]:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass

    def sql(self, text, database="postgres"):
        return run("psql", "-qAtX", "-h", self.directory, "-U", "keyvigil", "-d", database, "-c", text,
                   env={**os.environ, "PGCONNECT_TIMEOUT": "10"})

    def promote(self):
        self.sql("SELECT pg_promote(true, 60)")

    def wait_for_copy(self, standby):
        """Waits until a standby has all, and lets commits wait for it from then on."""
        wait_until(f"{standby.name} follows {self.name}", lambda: self.sql("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1")
        self.wait_for_standby(True)
        wait_until(f"{standby.name} is synchronous", lambda: self.sql("SELECT sync_state FROM pg_stat_replication") == "sync")


class Host(Machine):
    """A host with a machine id, a /run and a journald of its own, and the daemon with its socket for verifications."""

    def __init__(self, name, address, root, program, clock):
        super().__init__(name, address)
        self.program, self.clock = program, clock
        self.directory = f"{root}/{name}"
        os.mkdir(self.directory, 0o700)
        self.configuration = f"{self.directory}/keyvigil.toml"
        self.environment = {**os.environ, "LD_PRELOAD": clock}
        self.daemon = None
        self.lock = threading.Lock()
        os.symlink(program, f"{self.directory}/keyvigild")
        self._make_root()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(f"{self.directory}/verify.sock")
        self.socket.listen(1024)

    _script = """
        set -e
        mount -t tmpfs tmpfs /run
        mkdir -p /run/systemd/journald.conf.d /run/systemd/journal /run/log/journal
        printf '[Journal]\\nStorage=volatile\\nReadKMsg=no\\nAudit=no\\nRateLimitBurst=0\\nRuntimeMaxUse=1G\\n' \
            > /run/systemd/journald.conf.d/soak.conf
        printf '0\\n' > /run/clock
        mount --bind "$1" /etc/machine-id
        exec /lib/systemd/systemd-journald
        """

    def _make_root(self):
        identity = f"{self.directory}/machine-id"
        with open(identity, "w") as file:
            file.write(f"{int(self.address.rsplit('.', 1)[1]):032x}\n")
        # It keeps the namespace of the host's mounts.
        self.journald = subprocess.Popen(
            [*Machine.inside.fget(self), "unshare", "--mount", "--propagation", "private", "sh", "-c", self._script, "sh", identity],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until("journald listens", lambda: os.path.exists(f"/proc/{self.journald.pid}/root/run/systemd/journal/socket"))

    @property
    def inside(self):
        return ["nsenter", f"--net=/run/netns/{self.name}", f"--mount=/proc/{self.journald.pid}/ns/mnt", "--"]

    def configure(self, fleet, max_staleness, alert_hosts):
        with open(self.configuration, "w") as file:
            file.write(f'[store]\npath = "{self.directory}/keys.sqlite"\n[fleet]\nhost = "{self.name}"\ndatabase = "{fleet}"\n'
                       f'max_staleness = "{max_staleness}s"\nalert_hosts = {json.dumps(alert_hosts)}\n')

    def tool(self, *arguments, input="", seconds=120):
        """Runs the tool to its end."""
        return subprocess.run([*self.inside, self.program, *arguments, "--config", self.configuration], input=input, capture_output=True,
                              text=True, timeout=seconds, env=self.environment)

    def require(self, *arguments):
        done = self.tool(*arguments)
        if done.returncode:
            raise RuntimeError(f"{self.name}: keyvigil {' '.join(arguments)} failed: {done.stderr}")
        return done.stdout

    # bash(1), since the socket has a number of two digits until it has that of the first that a service manager passes.
    _passing = 'exec 3<&"$1" && shift && LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=verify exec "$@"'

    def start(self):
        with open(f"{self.directory}/output", "ab") as output:
            number = self.socket.fileno()
            self.daemon = subprocess.Popen(
                [*self.inside, "bash", "-c", self._passing, "bash", str(number), f"{self.directory}/keyvigild", "--config",
                 self.configuration, "--log", "journal"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=(number,), env=self.environment)

    def kill(self):
        self.daemon.kill()
        self.daemon.wait()

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        return self.daemon.wait(60)

    def set_clock(self, seconds):
        """How far the wall clock of the host's programs is ahead of that of the machine, from their next start on."""
        run(*self.inside, "sh", "-c", f"echo {seconds} > /run/clock")

    def ask(self, secret, seconds=5):
        """The status of an answer of the daemon's socket; nil: there was none in time."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(seconds)
                client.connect(f"{self.directory}/verify.sock")
                client.sendall(f"GET /verify HTTP/1.1\r\nHost: keyvigil\r\nAuthorization: Bearer {secret}\r\nConnection: close\r\n\r\n".encode())
                answer = client.recv(4096)
        except OSError:
            return None
        status = re.match(rb"HTTP/1\.1 (\d+) ", answer)
        return int(status[1]) if status else None

    def journal(self):
        """The entries of the daemon, each a dictionary."""
        text = run(*self.inside, "journalctl", "-q", "-o", "json", "--no-pager", "SYSLOG_IDENTIFIER=keyvigild")
        return [json.loads(line) for line in text.splitlines()]
