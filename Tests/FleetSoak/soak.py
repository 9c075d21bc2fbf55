"""Harms a fleet at random while its hosts make, rotate and revoke keys, and counts what has become of them.

usage: soak.py PROGRAM COUNT SEED

Four hosts and two servers of PostgreSQL have a network namespace each, and connect over TLS: two hosts sign in with certificates, two with
passwords. Each host has a machine id, a journald and a wall clock of its own, and the real daemon. COUNT faults come at random moments:
daemons are killed and stopped, servers are killed, stopped and replaced by their standbys, cables are pulled, packets are lost, clocks are
set. After a failover the former primary comes back, and no host may use it.

Meanwhile all hosts are asked, by the tool and by the socket, for keys that are revoked and keys that are not. At the end

- each alert is in the journal of one host, once;
- each change that was acknowledged is in the audit once, each other one at most once, and the audit of each host is intact;
- no host has accepted a key later than max_staleness after its revocation was acknowledged;
- no host has refused a key that was valid;
- the copy of each host is equal to the database.

SOAK_LOG=1 prints each fault, how long it was meant to last, and how long it took. It needs root. All processes, mounts and networks are in namespaces that end with it, however it ends.
"""
import collections, glob, json, os, queue, random, shutil, signal, sqlite3, subprocess, sys, tempfile, threading, time, traceback

from machines import DOMAIN, Host, Network, Server, run, wait_until

HOSTS = 4
MAX_STALENESS = 10
# A host that has just asked for news asks again after this time, in seconds (Store.hearNews).
NEWS = 0.05
# What a host shares with the others: SharedTable.names.
TABLES = ["keys", "secrets", "rotations", "audit_chains", "audit_events", "repositories", "findings", "finding_objects", "unlisted_findings",
          "refused_candidates", "incidents", "expected_places", "unregistered_secrets", "unregistered_places"]
# The keys of one import.
IMPORTED = 400
NEEDED = ["cc", "ip", "nft", "nsenter", "openssl", "psql", "setpriv", "unshare"]


class Key:
    def __init__(self, name, secret):
        self.name, self.secret = name, secret
        self.acknowledged = time.monotonic()


class Ledger:
    """What was asked for, and what was acknowledged."""

    def __init__(self, chance):
        self.lock = threading.Lock()
        self.chance = chance
        # Keys that are valid, and that no one has begun to change.
        self.valid = {}
        # Secrets that are refused, with when that was acknowledged.
        self.refused = []
        self.acknowledged, self.attempted = collections.Counter(), collections.Counter()
        self.failures = collections.Counter()
        self.unsettled = collections.deque()
        self.errors = []
        self.answers = collections.Counter()
        self.longest_acceptance = 0.0
        self.longest_command = (0.0, "")

    def fail(self, text):
        with self.lock:
            self.errors.append(text)
        print(f"soak-fleet: FAILED: {text}", flush=True)

    def take(self):
        """A valid key, which is the caller's to change; nil: there is none."""
        with self.lock:
            if len(self.valid) < 8:
                return None
            return self.valid.pop(self.chance.choice(list(self.valid)))


class Soak:
    def __init__(self, program, count, seed, root):
        self.program, self.count, self.seed, self.root = program, count, seed, root
        self.chance = random.Random(seed)
        self.ledger = Ledger(random.Random(f"{seed} keys"))
        self.faults = collections.Counter()
        self.failovers = []
        self.is_over = threading.Event()
        # Held by all who harm the database or a host, since after a failover all hosts have to find the new primary.
        self.database = threading.Lock()
        self.alert_hosts = ["web2", "web1"] if seed % 2 else []

    # MARK: The fleet

    def set_up(self):
        os.umask(0o022)
        programs = max(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
        clock = f"{self.root}/clock.so"
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../EndToEndTests/Support/clock.c")
        run("cc", "-shared", "-fPIC", "-O1", '-DOFFSET="/run/clock"', "-o", clock, source)
        network = Network(self.root, clock)
        self.primary, self.standby = (Server(f"db{number}", f"10.0.0.1{number}", network, self.root, programs) for number in (1, 2))
        methods = {f"web{number}": "cert" if number <= HOSTS // 2 else "scram-sha-256" for number in range(1, HOSTS + 1)}
        self.primary.make(methods)
        self.primary.start()
        self.primary.sql("CREATE DATABASE fleet")
        self.primary.sql("CREATE ROLE copy LOGIN REPLICATION")
        run(self.program, "fleet", "migrate", "--quiet", "--database", f"host={self.primary.directory} user=keyvigil dbname=fleet")
        self.standby.copy(self.primary)
        self.standby.start()
        self.primary.wait_for_copy(self.standby)
        self.hosts = []
        for number in range(1, HOSTS + 1):
            host = Host(f"web{number}", f"10.0.0.{number}", self.root, self.program, clock)
            self.hosts.append(host)
            self.enrol(host, methods[host.name], network)
        for host, seconds in zip(self.hosts, (0, 0, 2, -2)):
            host.set_clock(seconds)
            host.start()
        for host in self.hosts:
            wait_until(f"the daemon of {host.name} answers", lambda: host.ask("kv_live_none") == 401)

    def enrol(self, host, method, network):
        server = self.primary
        address = (f"host=db1.{DOMAIN},db2.{DOMAIN} hostaddr=10.0.0.11,10.0.0.12 user={host.name} dbname=fleet "
                   f"sslrootcert={network.certificate}")
        if method == "cert":
            network.issue("client", host.name, host.directory)
            address += f" sslcert={host.directory}/client.crt sslkey={host.directory}/client.key"
            server.sql(f"CREATE ROLE {host.name} LOGIN IN ROLE keyvigil_host")
        else:
            password = f"{self.chance.getrandbits(128):032x}"
            server.sql(f"CREATE ROLE {host.name} LOGIN PASSWORD '{password}' IN ROLE keyvigil_host")
            if host is self.hosts[-1] and len(self.hosts) % 2:
                # A credential of the unit (systemd.exec(5), LoadCredential=).
                os.mkdir(f"{host.directory}/credentials", 0o700)
                path, text = f"{host.directory}/credentials/fleet-password", password
                host.environment["CREDENTIALS_DIRECTORY"] = f"{host.directory}/credentials"
            else:
                path, text = f"{host.directory}/pgpass", f"*:*:*:{host.name}:{password}\n"
                address += f" passfile={path}"
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write(text)
        host.configure(address, MAX_STALENESS, self.alert_hosts)
        if host is not self.hosts[0]:
            pepper = f"{host.directory}/pepper"
            shutil.copy(f"{self.hosts[0].directory}/pepper", pepper)
            os.chmod(pepper, 0o600)
        host.require("fleet", "join")

    # MARK: Changes

    def change(self, host, chance):
        """Makes changes on a host until the faults are over."""
        number = 0
        while not self.is_over.wait(chance.random() * 0.6):
            number += 1
            what = chance.random()
            try:
                if what < 0.01:
                    self.import_keys(host, f"{host.name}-import{number}", chance.randint(4, 8))
                elif what < 0.35:
                    self.create(host, f"{host.name}-short{number}", f"{chance.randint(2, 6)}s")
                elif what < 0.7:
                    self.create(host, f"{host.name}-long{number}", "never")
                elif what < 0.85:
                    self.revoke(host)
                else:
                    self.rotate(host, f"{host.name}-{number}")
                if chance.random() < 0.1:
                    self.settle(host)
            except Exception:
                self.ledger.fail(f"on {host.name}: {traceback.format_exc()}")

    def command(self, host, *arguments, input=""):
        begin = time.monotonic()
        done = host.tool(*arguments, input=input)
        took = (time.monotonic() - begin, f"{host.name}: {' '.join(arguments[:2])}")
        with self.ledger.lock:
            self.ledger.longest_command = max(self.ledger.longest_command, took)
            if done.returncode:
                self.ledger.failures[done.stderr.split("\n")[0].replace("keyvigil: error: ", "")[:90]] += 1
        return done

    def create(self, host, name, expires):
        done = self.command(host, "create", name, "--expires", expires, "--json")
        with self.ledger.lock:
            self.ledger.attempted["key.created", name] += 1
            if done.returncode == 0:
                self.ledger.acknowledged["key.created", name] += 1
                if expires == "never":
                    self.ledger.valid[name] = Key(name, json.loads(done.stdout)["secret"])

    def import_keys(self, host, name, seconds):
        """Imports so many keys that the changes of one transaction go to the database in parts, as those of the sweep that expires them do."""
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
        names = [f"{name}-{number}" for number in range(IMPORTED)]
        lines = [json.dumps({"name": each, "issuer": "external", "prefix": each.replace("-", "_"), "expires_at": end}) for each in names]
        done = self.command(host, "import", "--json", input="".join(line + "\n" for line in lines))
        with self.ledger.lock:
            for each in names:
                self.ledger.attempted["key.imported", each] = 1
                if done.returncode == 0:
                    self.ledger.acknowledged["key.imported", each] = 1

    def revoke(self, host):
        key = self.ledger.take()
        if key:
            self.revoke_key(host, key)

    def revoke_key(self, host, key):
        done = self.command(host, "revoke", key.name, "--json")
        with self.ledger.lock:
            self.ledger.attempted["key.revoked", key.name] = 1
            if done.returncode == 0 or "is revoked and cannot be revoked" in done.stderr:
                # Where it was done before, it is acknowledged by this.
                self.ledger.acknowledged["key.revoked", key.name] = 1
                self.ledger.refused.append((key.secret, time.monotonic(), key.name))
            else:
                self.ledger.unsettled.append((self.revoke_key, key))

    def rotate(self, host, request):
        key = self.ledger.take()
        if key:
            self.rotate_key(host, (key, request))

    def rotate_key(self, host, task):
        key, request = task
        done = self.command(host, "rotate", key.name, "--overlap", "0s", "--idempotency-key", request, "--json")
        with self.ledger.lock:
            self.ledger.attempted["key.rotated", key.name, request] = 1
            if done.returncode == 0:
                self.ledger.acknowledged["key.rotated", key.name, request] = 1
                self.ledger.refused.append((key.secret, time.monotonic(), key.name))
                secret = json.loads(done.stdout).get("secret")
                # A repeated request does not show it again.
                if secret:
                    self.ledger.valid[key.name] = Key(key.name, secret)
            else:
                self.ledger.unsettled.append((self.rotate_key, task))

    def settle(self, host):
        """Runs a command again whose outcome was not known: "which does no harm", as its hint says."""
        with self.ledger.lock:
            if not self.ledger.unsettled:
                return
            again, task = self.ledger.unsettled.popleft()
        again(host, task)

    # MARK: Questions

    def question(self, host, chance):
        """Asks a host for keys until the soak is over."""
        number = 0
        while not self.is_over.wait(0.02):
            number += 1
            ledger = self.ledger
            with ledger.lock:
                # Mostly the latest: an older one is known everywhere.
                recent = ledger.refused[-8:] if chance.random() < 0.8 else ledger.refused
                refused = chance.choice(recent) if recent else None
                valid = ledger.valid[chance.choice(list(ledger.valid))] if ledger.valid else None
            by_tool = number % 25 == 0
            if refused:
                self.ask_refused(host, refused, by_tool)
            if valid:
                self.ask_valid(host, valid, by_tool)

    def verdict(self, host, secret, by_tool):
        """200, 401, 503 as the socket answers; nil: no answer."""
        if not by_tool:
            status = host.ask(secret)
        else:
            done = host.tool("verify", input=f"Bearer {secret}")
            status = {0: 200, 1: 401, 2: 503}.get(done.returncode, done.returncode)
        with self.ledger.lock:
            self.ledger.answers["tool" if by_tool else "socket", status] += 1
        return status

    def ask_refused(self, host, refused, by_tool):
        secret, acknowledged, name = refused
        asked = time.monotonic()
        if self.verdict(host, secret, by_tool) != 200:
            return
        age = asked - acknowledged
        with self.ledger.lock:
            self.ledger.longest_acceptance = max(self.ledger.longest_acceptance, age)
        if age > MAX_STALENESS:
            self.ledger.fail(f"{host.name} has accepted a secret of {name} {age:.3f} s after it was refused")

    def ask_valid(self, host, key, by_tool):
        age = time.monotonic() - key.acknowledged
        status = self.verdict(host, key.secret, by_tool)
        if status in (200, 503, None) or age < NEWS:
            return
        with self.ledger.lock:
            is_valid = self.ledger.valid.get(key.name) is key
        if is_valid:
            self.ledger.fail(f"{host.name} has answered {status} for a valid secret of {key.name}, {age:.3f} s after it was made")

    # MARK: Faults

    def plan(self):
        """All faults, in their order: what, how long in seconds, and a number for choices of its own."""
        kinds = {
            "daemon killed": 30, "daemon stopped": 10, "cable of a host": 14, "packets of a host": 10, "clock of a host": 3,
            "server killed": 8, "server stopped": 6, "cable of the server": 5, "packets of the server": 4, "standby killed": 4,
            "connections ended": 5,
        }
        for number in range(self.count):
            kind = self.chance.choices(list(kinds), list(kinds.values()))[0]
            if number % 50 == 25:
                kind = "failover"
            # Some are longer than the copy of a host is believed.
            pause = self.chance.uniform(11, 14) if self.chance.random() < 0.04 else self.chance.uniform(0.1, 2.5)
            yield kind, pause, self.chance.random()

    def harm(self):
        """Makes the faults: three at a time at most, of the database one."""
        tasks = queue.Queue(1)

        def work():
            while task := tasks.get():
                try:
                    self.fault(*task)
                except Exception:
                    self.ledger.fail(f"in the fault {task}: {traceback.format_exc()}")

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number, task in enumerate(self.plan(), 1):
            tasks.put(task)
            if number % 50 == 0:
                print(f"soak-fleet: {number} of {self.count} faults, {sum(self.ledger.acknowledged.values())} changes", flush=True)
        for _ in threads:
            tasks.put(None)
        for thread in threads:
            thread.join()

    def fault(self, kind, pause, choice):
        begin = time.monotonic()
        if "host" in kind or "daemon" in kind:
            host = self.hosts[int(choice * HOSTS)]
            with host.lock:
                self.fault_of_host(host, kind, pause, choice)
        else:
            with self.database:
                begin = time.monotonic()
                self.fault_of_database(kind, pause, choice)
                # Otherwise hardly any change is made.
                time.sleep(2 * choice)
        self.faults[kind] += 1
        if os.environ.get("SOAK_LOG"):
            print(f"  {kind} {pause:.1f} s {time.monotonic() - begin:.1f} s", flush=True)

    def fault_of_host(self, host, kind, pause, choice):
        match kind:
            case "daemon killed":
                time.sleep(min(pause, 1))
                host.kill()
                host.start()
            case "daemon stopped":
                host.daemon.send_signal(signal.SIGSTOP)
                time.sleep(pause)
                host.daemon.send_signal(signal.SIGCONT)
            case "cable of a host":
                at_switch = choice * 1000 % 1 < 0.7
                host.set_cable("down", at_switch)
                time.sleep(pause)
                host.set_cable("up", at_switch)
            case "packets of a host":
                host.lose(10 + int(choice * 1000) % 50)
                time.sleep(pause)
                host.lose(0)
            case "clock of a host":
                host.kill()
                host.set_clock((-3600, -3, -1, 0, 0, 1, 3, 3600)[int(choice * 1000) % 8])
                host.start()

    def fault_of_database(self, kind, pause, choice):
        primary = self.primary
        match kind:
            case "server killed":
                primary.kill()
                time.sleep(min(pause, 4))
                primary.start()
            case "server stopped":
                is_whole = choice < 0.5
                primary.send(signal.SIGSTOP, is_whole)
                time.sleep(pause)
                primary.send(signal.SIGCONT, is_whole)
            case "cable of the server":
                primary.set_cable("down", choice < 0.7)
                time.sleep(pause)
                primary.set_cable("up", choice < 0.7)
            case "packets of the server":
                primary.lose(10 + int(choice * 1000) % 30)
                time.sleep(pause)
                primary.lose(0)
            case "standby killed":
                self.standby.kill()
                time.sleep(pause)
                self.standby.start()
            case "connections ended":
                primary.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'fleet'")
            case "failover":
                for host in self.hosts:
                    host.lock.acquire()
                try:
                    self.fail_over(choice)
                finally:
                    for host in self.hosts:
                        host.lock.release()

    def fail_over(self, choice):
        former, new = self.primary, self.standby
        wait_until("the standby is synchronous", lambda: former.sql("SELECT sync_state FROM pg_stat_replication") == "sync")
        way = ("killed", "stopped", "cut off")[int(choice * 3)]
        begin = time.monotonic()
        if way == "killed":
            former.kill()
        elif way == "stopped":
            former.send(signal.SIGSTOP)
        else:
            former.set_cable("down")
        new.promote()
        promoted = new.sql("SELECT clock_timestamp()")
        self.primary, self.standby = new, former
        try:
            wait_until("all hosts find the new primary", lambda: new.sql(
                f"SELECT count(*) FROM keyvigil.hosts WHERE seen_at > '{promoted}'", "fleet") == str(HOSTS))
        except RuntimeError:
            for host in self.hosts:
                print(host.name, host.tool("status").stdout, *(entry["MESSAGE"] for entry in host.journal()[-3:]), sep="\n")
            raise
        found = time.monotonic() - begin
        # The former primary comes back, and does not know of the new one. One that was killed waits for no standby, as if someone had
        # configured it so; the others go on where they were.
        if way == "killed":
            former.wait_for_standby(False)
            former.start()
        elif way == "stopped":
            former.send(signal.SIGCONT)
        else:
            former.set_cable("up")
        state = "SELECT array_agg((host, seq) ORDER BY host) FROM keyvigil.feeds"
        seen = "SELECT max(seen_at) FROM keyvigil.hosts"
        before = former.sql(state, "fleet"), former.sql(seen, "fleet")
        # Now each host chooses between the two.
        new.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'fleet'")
        time.sleep(4)
        after = former.sql(state, "fleet"), former.sql(seen, "fleet")
        if before != after:
            self.ledger.fail(f"a host has used the primary from before the failover: {before}, then {after}")
        self.failovers.append((way, round(found, 1)))
        former.kill()
        former.copy(new)
        former.start()
        new.wait_for_copy(former)

    # MARK: The end

    def come_to_rest(self):
        """Lets the fleet apply and report all that was done."""
        for host in self.hosts:
            host.kill()
            host.set_clock(0)
            host.start()
        wait_until("the outcome of all commands is known", lambda: self.settle(self.hosts[0]) or not self.ledger.unsettled)
        sql = lambda text: self.primary.sql(text, "fleet")
        wait_until("all keys that have expired are recorded as that", lambda: sql(
            "SELECT count(*) FROM keyvigil.keys WHERE status = 'active' AND expires_at < extract(epoch FROM clock_timestamp()) * 1000") == "0")
        wait_until("all alerts are delivered", lambda: sql("SELECT count(*) FROM keyvigil.alerts WHERE delivered_at IS NULL") == "0")
        for host in self.hosts:
            if host.stop():
                self.ledger.fail(f"the daemon of {host.name} has ended with {host.daemon.returncode}")
        for host in self.hosts:
            # Before it refuses a secret, it applies what the others have done last.
            host.tool("verify", input="Bearer kv_live_000000000000_00000000000000000000000000000000000")

    def journals(self):
        places = collections.defaultdict(list)
        expiries = collections.Counter()
        for host in self.hosts:
            for entry in host.journal():
                if "KEYVIGIL_ALERT_ID" in entry:
                    places[entry["KEYVIGIL_ALERT_ID"]].append(host.name)
                if entry.get("KEYVIGIL_EVENT") == "key.expired":
                    expiries[entry.get("KEYVIGIL_KEY_ID")] += 1
                if entry.get("KEYVIGIL_EVENT") in ("store.rolled_back", "store.tampered", "store.damaged", "host.duplicate", "daemon.stalled"):
                    self.ledger.fail(f"{host.name} reports: {entry['MESSAGE']}")
        for alert, hosts in places.items():
            if len(hosts) > 1:
                self.ledger.fail(f"the alert {alert} is in the journals of {hosts}")
        shared = self.primary.sql("SELECT alert_id FROM keyvigil.alerts", "fleet").split()
        for alert in set(shared) - set(places):
            self.ledger.fail(f"the alert {alert} is in no journal")
        expired = self.primary.sql("SELECT id FROM keyvigil.keys WHERE status = 'expired'", "fleet").split()
        for key in expired:
            if expiries[key] != 1:
                self.ledger.fail(f"the expiry of {key} is {expiries[key]} times in the journals")
        return len(places), len(expired)

    def audits(self):
        events = collections.Counter()
        for host in self.hosts:
            done = host.tool("audit", "verify")
            if done.returncode or "intact" not in done.stdout:
                self.ledger.fail(f"the audit of {host.name} is not intact: {done.stdout} {done.stderr}")
        names = dict(line.split("|") for line in self.primary.sql("SELECT id, name FROM keyvigil.keys", "fleet").splitlines())
        for line in self.hosts[0].require("audit", "--json").splitlines():
            event = json.loads(line)
            events[event["action"], names.get(event.get("key_id"))] += 1
        acknowledged, attempted = collections.Counter(), collections.Counter()
        for counter, source in ((acknowledged, self.ledger.acknowledged), (attempted, self.ledger.attempted)):
            for (action, name, *_), times in source.items():
                counter[action, name] += times
        for change in set(events) | set(attempted):
            if change[0] in ("key.created", "key.imported", "key.revoked", "key.rotated"):
                if not acknowledged[change] <= events[change] <= attempted[change]:
                    self.ledger.fail(f"{change} was asked for {attempted[change]} times and acknowledged {acknowledged[change]} times; "
                                     f"it is {events[change]} times in the audit")
        return sum(events.values())

    def copies(self):
        """Compares all rows of all shared tables."""
        rows = 0
        for table in TABLES:
            contents = {}
            for host in self.hosts:
                store = sqlite3.connect(f"file:{host.directory}/keys.sqlite?mode=ro", uri=True)
                columns = [column[1] for column in store.execute(f"PRAGMA table_info({table})")]
                found = store.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
                contents[host.name] = sorted("|".join(self.shown(value) for value in row) for row in found)
                store.close()
            kinds = dict(line.split("|") for line in self.primary.sql(
                f"SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'keyvigil' AND table_name = '{table}'",
                "fleet").splitlines())
            shown = {"bytea": "encode({}, 'hex')", "boolean": "{}::int::text"}
            selected = ", ".join(f"coalesce({shown.get(kinds[column], '{}::text').format(column)}, '-')" for column in columns)
            text = self.primary.sql(f"SELECT json_agg(concat_ws('|', {selected})) FROM keyvigil.{table}", "fleet")
            database = sorted(json.loads(text or "null") or [])
            rows += len(database)
            for name, content in contents.items():
                if content != database:
                    differing = list((collections.Counter(content) - collections.Counter(database)).elements())[:2]
                    self.ledger.fail(f"{table} on {name} has {len(content)} rows, the database {len(database)}; only there: {differing}")
        return rows

    @staticmethod
    def shown(value):
        if value is None:
            return "-"
        return value.hex() if isinstance(value, bytes) else str(value)

    def run(self):
        begin = time.monotonic()
        print(f"soak-fleet: seed {self.seed}, {self.count} faults", flush=True)
        self.set_up()
        print(f"soak-fleet: four hosts are members after {time.monotonic() - begin:.0f} s", flush=True)
        threads = []
        for host in self.hosts:
            for work in (self.change, self.question):
                threads.append(threading.Thread(target=work, args=(host, random.Random(f"{self.seed} {host.name} {work.__name__}"))))
        for thread in threads:
            thread.start()
        try:
            self.harm()
        finally:
            self.is_over.set()
        for thread in threads:
            thread.join()
        self.come_to_rest()
        alerts, expired = self.journals()
        events = self.audits()
        rows = self.copies()
        ledger = self.ledger
        print(f"soak-fleet: {time.monotonic() - begin:.0f} s; faults {dict(self.faults)}")
        print(f"soak-fleet: failovers, and after how many seconds all hosts used the new primary: {self.failovers}")
        print(f"soak-fleet: {sum(ledger.acknowledged.values())} changes acknowledged of {sum(ledger.attempted.values())}; refused: "
              f"{dict(ledger.failures.most_common(12))}")
        print(f"soak-fleet: answers {dict(ledger.answers)}; a refused secret was accepted {ledger.longest_acceptance:.2f} s after that at the "
              f"latest, at most {MAX_STALENESS} s are allowed; the longest command took {ledger.longest_command[0]:.1f} s ({ledger.longest_command[1]})")
        print(f"soak-fleet: {alerts} alerts in the journals, {expired} expiries, {events} events of the audit, {rows} rows on each host; "
              f"{len(ledger.errors)} failures", flush=True)
        return 1 if ledger.errors else 0


# MARK: Namespaces

def begin():
    """Runs this script again in namespaces that end with it."""
    absent = [name for name in NEEDED if not shutil.which(name)]
    if os.getuid() != 0 or absent or not glob.glob("/usr/lib/postgresql/*/bin"):
        sys.exit("soak-fleet: it needs root, PostgreSQL and " + " ".join(NEEDED) + ": sudo make soak-fleet"
                 + (f"; absent: {' '.join(absent)}" if absent else ""))
    root = tempfile.mkdtemp(prefix="kv-soak-")
    os.chmod(root, 0o755)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # Ctrl-C ends this process, and the kernel all others.
    child = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "--net", "--ipc", "--uts", "--",
         sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:4], root], stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        status = child.wait()
    except KeyboardInterrupt:
        status = 130
    finally:
        child.kill()
        child.wait()
        shutil.rmtree(root, ignore_errors=True)
    sys.exit(status)


def enter():
    """Becomes a child of the first process of the namespace, which takes over orphans, and ends them all when this one ends."""
    child = os.fork()
    if child == 0:
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
        return
    while True:
        process, status = os.wait()
        if process == child:
            os._exit(os.waitstatus_to_exitcode(status) % 256)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        begin()
    enter()
    sys.exit(Soak(os.path.abspath(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]).run())
