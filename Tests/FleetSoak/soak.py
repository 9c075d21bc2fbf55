"""Kills the daemons and the database of a fleet at random moments, and counts what their hosts have reported.

usage: soak.py PROGRAM COUNT SEED

Four hosts share a PostgreSQL of this script's own. Each has the real daemon on a terminal. Keys are made on hosts at random, and expire
soon; some are revoked. At the end each expiry must have been reported by exactly one host, the audit of each host be intact, the inventory of all
hosts be the same, and no revoked key be accepted. A terminal cannot be read back, so that a daemon which is killed between an entry and the note
that it was written reports it again: an alert may come twice in the output of one host, never in those of two.
"""
import glob, json, os, random, re, shutil, signal, subprocess, sys, tempfile, threading, time

program, count, seed = os.path.abspath(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
chance = random.Random(seed)
HOSTS = 4
binaries = max(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
root = tempfile.mkdtemp(prefix="kv-soak-")
os.chmod(root, 0o755)
base = os.path.join(root, "pg")
os.mkdir(base)
drop = []
if os.getuid() == 0:
    os.chown(base, 65534, 65534)
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]


def server(name, *arguments):
    done = subprocess.run(drop + [f"{binaries}/{name}", *arguments], cwd="/", stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"soak-fleet: {name} failed: {done.stderr}")


def start_server():
    server("pg_ctl", "start", "-s", "-w", "-D", f"{base}/data", "-l", f"{base}/log", "-o",
           f"-k {base} -c listen_addresses= -c fsync=off -c max_connections=50")


def sql(text, database="fleet"):
    done = subprocess.run(["psql", "-qAtX", "-h", base, "-U", "keyvigil", "-d", database, "-c", text],
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"soak-fleet: psql failed: {done.stderr}")
    return done.stdout.strip()


class Host:
    def __init__(self, number):
        self.number, self.daemon = number, None
        self.directory = f"{root}/web{number}"
        os.mkdir(self.directory, 0o700)
        self.configuration = f"{self.directory}/keyvigil.toml"
        with open(self.configuration, "w") as file:
            file.write(f'[store]\npath = "{self.directory}/keys.sqlite"\n[fleet]\nhost = "web{number}"\n'
                       f'database = "host={base} user=web{number} dbname=fleet"\n')
        os.symlink(program, f"{self.directory}/keyvigild")
        if number > 1:
            shutil.copy(f"{root}/web1/pepper", f"{self.directory}/pepper")
            os.chmod(f"{self.directory}/pepper", 0o600)
        joined = self.run("fleet", "join")
        if joined.returncode:
            sys.exit(f"soak-fleet: web{number} cannot join: {joined.stderr}")

    def run(self, *arguments, input=""):
        return subprocess.run([program, *arguments, "--config", self.configuration], input=input, capture_output=True,
                              text=True)

    def start(self):
        self.output = open(f"{self.directory}/output", "ab")
        self.daemon = subprocess.Popen(
            [f"{self.directory}/keyvigild", "--config", self.configuration, "--log", "terminal"],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output)

    def kill(self):
        self.daemon.kill()
        self.daemon.wait()
        self.output.close()

    def lines(self):
        with open(f"{self.directory}/output", errors="replace") as file:
            return file.read().splitlines()


def until(what, condition, seconds=180):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return print(f"soak-fleet: it did not come: {what}")
        time.sleep(0.2)


def cut(delay, kind, victim, pause):
    """Makes a fault after a delay, in seconds."""
    time.sleep(delay)
    if kind < 0.1:
        cuts["server"] += 1
        server("pg_ctl", "stop", "-s", "-m", "immediate", "-D", f"{base}/data")
        time.sleep(pause)
        start_server()
    elif kind < 0.3:
        cuts["connections"] += 1
        sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'fleet' "
            "AND pid <> pg_backend_pid()")
    else:
        cuts["daemon"] += 1
        victim.kill()
        victim.start()


hosts, revoked, failed, cuts = [], {}, 0, {"daemon": 0, "server": 0, "connections": 0}
try:
    server("initdb", "-D", f"{base}/data", "-U", "keyvigil", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
    start_server()
    sql("CREATE DATABASE fleet", "postgres")
    subprocess.run([program, "fleet", "migrate", "--quiet", "--database", f"host={base} user=keyvigil dbname=fleet"],
                   check=True)
    for number in range(1, HOSTS + 1):
        sql(f"CREATE ROLE web{number} LOGIN IN ROLE keyvigil_host")
        hosts.append(Host(number))
    for host in hosts:
        host.start()
    for turn in range(count):
        host = chance.choice(hosts)
        name = f"key{turn}"
        # While the change is under way.
        fault = threading.Thread(target=cut, args=(chance.random() / 4, chance.random(), chance.choice(hosts), chance.random()))
        fault.start()
        made = host.run("create", name, "--expires", "3s" if turn % 3 else "never", "--json")
        if made.returncode == 0:
            if turn % 3 == 0 and chance.choice(hosts).run("revoke", name).returncode == 0:
                revoked[name] = json.loads(made.stdout)["secret"]
        else:
            failed += 1
        fault.join()
    # A change whose answer was lost is there, too.
    expiring = set(sql("SELECT name FROM keyvigil.keys WHERE expires_at IS NOT NULL AND revoked_at IS NULL").split())

    def reporters():
        found = {name: {} for name in expiring}
        for host in hosts:
            for line in host.lines():
                name = re.search(r"key '(key\d+)'", line)
                if " key.expired " in line and name and name[1] in found:
                    found[name[1]][host.number] = found[name[1]].get(host.number, 0) + 1
        return found

    # A host that was silent for 300 seconds has its alerts taken; here all live.
    until("a report of each expiry", lambda: all(reporters().values()))
    found = reporters()
    missing = sorted(name for name, by in found.items() if not by)
    twice = {name: by for name, by in found.items() if len(by) > 1}
    again = sum(times - 1 for by in found.values() for times in by.values())
    for host in hosts:
        host.daemon.send_signal(signal.SIGTERM)
        host.daemon.wait()
    accepted = [(name, host.number) for name, secret in revoked.items() for host in hosts
                if host.run("verify", input=f"Bearer {secret}").returncode == 0]
    audits = [host.run("audit", "verify") for host in hosts]
    broken = [host.number for host, audit in zip(hosts, audits) if audit.returncode or "intact" not in audit.stdout]
    inventories = {tuple(sorted(host.run("list", "--json", "--all").stdout.splitlines())) for host in hosts}
    rows = int(sql("SELECT count(*) FROM keyvigil.keys"))
    print(f"soak-fleet: seed {seed}, {count} turns, {cuts}, {rows} keys, {failed} changes refused; "
          f"{len(found)} expiries, {again} reported again by the same host; missing {missing}, by two hosts {twice}, "
          f"revoked and accepted {accepted}, broken audits {broken}, inventories {len(inventories)}")
    status = 1 if missing or twice or accepted or broken or len(inventories) != 1 else 0
finally:
    for host in hosts:
        if host.daemon and host.daemon.poll() is None:
            host.kill()
    subprocess.run(drop + [f"{binaries}/pg_ctl", "stop", "-s", "-m", "immediate", "-D", f"{base}/data"], cwd="/")
    shutil.rmtree(root, ignore_errors=True)
sys.exit(status)
