#!/bin/sh
# What the daemon costs while nothing happens: wake-ups in a minute, and memory with 1,000 and 1,000,000 keys, with 1,000 watched
# repositories, and with clients that keep their connections.
#
#   sh Benchmarks/idle.sh [BINARIES] [SECONDS] [REPOSITORIES]      needs python3 and strace; about ten minutes
#
# TMPDIR names a directory in which nothing else changes: the daemon watches the names above its repositories.
#
# The daemon runs as under its unit, with its three sockets and a watchdog of one minute that no process listens to: 3 pings in a
# minute are to be expected, and the same number of wake-ups of the event loop. Connections are kept for an hour. The keys of the
# large stores are imported, by the SHA-256 of their secrets.
set -eu

binaries=${1:-.build/release}
seconds=${2:-60}
repositories=${3:-1000}
work=$(mktemp -d)
# Not in the store's directory, which the daemon watches.
trace=$(mktemp)
daemon=
clients=
end() {
    for process in $daemon $clients; do kill "$process" 2> /dev/null || true; done
    rm -rf "$work" "$trace"
}
trap end EXIT
trap 'exit 1' INT TERM

# Watches what a pattern names below the folder.
watch() {
    printf '[store]\npath = "%s/keys.sqlite"\n[socket]\nidle = "1h"\n[scan]\nrepositories = ["%s/%s"]\n' "$work" "$work" "$1" \
        > "$work/keyvigil.toml"
}
watch shop
git init -q "$work/shop"

# A line of /proc/PID/status, in MB.
megabytes() { awk -v name="$1:" '$1 == name { printf "%.1f", $2 / 1024 }' "/proc/$daemon/status"; }

# Executes the daemon with sockets that listen, as systemd does (sd_listen_fds(3)).
launch='
import fcntl, os, socket, sys
names = ["verify", "hook", "read"]
made = []
for name in names:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(os.path.join(sys.argv[1], name + ".sock"))
    listening.listen(1024)
    listening.setblocking(False)
    made.append(fcntl.fcntl(listening, fcntl.F_DUPFD, 16))
for index, descriptor in enumerate(made):
    os.dup2(descriptor, 3 + index, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(names)), LISTEN_FDNAMES=":".join(names))
os.execv(sys.argv[2], sys.argv[2:])
'

# Asks once over each of a number of connections, and keeps them.
keep='
import os, signal, socket, sys
kept = []
for _ in range(int(sys.argv[2])):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(os.path.join(sys.argv[1], "verify.sock"))
    connection.sendall(b"GET /verify HTTP/1.1\r\nHost: k\r\nAuthorization: Bearer none\r\n\r\n")
    assert connection.recv(4096).startswith(b"HTTP/1.1 401")
    kept.append(connection)
print("kept", flush=True)
signal.pause()
'

# measure KEYS REPOSITORIES [CONNECTIONS]
measure() {
    keys=$1
    places=$2
    kept=${3:-0}
    : > "$work/log"
    rm -f "$work"/*.sock
    NOTIFY_SOCKET=/nonexistent WATCHDOG_USEC=60000000 python3 -c "$launch" "$work" "$binaries/keyvigild" \
        --config "$work/keyvigil.toml" --log terminal > "$work/log" &
    daemon=$!
    until grep -q scan.finished "$work/log"; do sleep 0.2; done
    if [ "$kept" != 0 ]; then
        python3 -c "$keep" "$work" "$kept" > "$work/kept" &
        clients=$!
        until grep -q kept "$work/kept"; do sleep 0.2; done
    fi
    sleep 15 # libdispatch lets its idle threads go after some seconds; what work has left is returned with a later ping
    strace -f -q -o "$trace" -p "$daemon" &
    tracer=$!
    sleep "$seconds"
    kill "$tracer"; wait "$tracer" 2> /dev/null || true
    # Of the event loop and of the sockets' threads, where a connection that is idle for too long ends a wait, too.
    woken=$(grep -cE 'epoll_wait.*= [1-9]|ppoll.*= [0-9]' "$trace" || true)
    pings=$(grep -c '/nonexistent' "$trace" || true)
    printf 'idle  %9s keys, %5s repositories, %4s connections  RSS %5s MB, of it anonymous %5s MB, peak %5s MB; in %s s %s wake-ups, %s watchdog pings\n' \
        "$keys" "$places" "$kept" "$(megabytes VmRSS)" "$(megabytes RssAnon)" "$(megabytes VmHWM)" "$seconds" "$woken" "$pings"
    kill "$daemon"; wait "$daemon" || true
    daemon=
    [ -z "$clients" ] || { kill "$clients"; wait "$clients" 2> /dev/null || true; }
    clients=
}

# Records keys, up to a number, of which the SHA-256 is known.
grow() {
    "$binaries/keyvigil" list --json --config "$work/keyvigil.toml" | wc -l | awk -v most="$1" '
        { print "name,issuer,hash,prefix" }
        { for (i = $1 + 1; i <= most; i++) printf "key %d,external,%064x,legacy-%08d-\n", i, i, i }' |
        "$binaries/keyvigil" import --format csv --quiet --config "$work/keyvigil.toml"
}

"$binaries/keyvigil" create first --quiet --config "$work/keyvigil.toml" > /dev/null
grow 1000
measure 1,000 1
measure 1,000 1 1
measure 1,000 1 1000
mkdir "$work/git"
git init -q --bare "$work/template.git"
rm -rf "$work/template.git/hooks"
number=0
while [ "$number" -lt "$repositories" ]; do
    cp -r "$work/template.git" "$work/git/$number.git"
    number=$((number + 1))
done
watch 'git/*.git'
measure 1,000 "$repositories"
watch shop
grow 1000000
measure 1,000,000 1
