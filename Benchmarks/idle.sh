#!/bin/sh
# What the daemon costs while nothing happens: wake-ups in a minute, and memory with 1,000 and 1,000,000 keys, and with
# 1,000 watched repositories.
#
#   sh Benchmarks/idle.sh [BINARIES] [SECONDS] [REPOSITORIES]      needs sqlite3 and strace; about six minutes
#
# The daemon runs as under its unit, with a watchdog of one minute that nobody listens to: 3 pings in a minute are to
# be expected, and as many wake-ups of the event loop. The keys of the large stores are copies of one key in SQL, with
# hashes and dates of their own.
set -eu

binaries=${1:-.build/release}
seconds=${2:-60}
repositories=${3:-1000}
work=$(mktemp -d)
# Not in the store's directory, which the daemon watches.
trace=$(mktemp)
daemon=
end() { [ -z "$daemon" ] || kill "$daemon" 2> /dev/null || true; rm -rf "$work" "$trace"; }
trap end EXIT

# Watches what a pattern names below the folder.
watch() {
    printf '[store]\npath = "%s/keys.sqlite"\n[scan]\nrepositories = ["%s/%s"]\n' "$work" "$work" "$1" \
        > "$work/keyvigil.toml"
}
watch shop
git init -q "$work/shop"

# A line of /proc/PID/status, in MB.
megabytes() { awk -v name="$1:" '$1 == name { printf "%.1f", $2 / 1024 }' "/proc/$daemon/status"; }

measure() {
    keys=$1
    places=$2
    : > "$work/log"
    NOTIFY_SOCKET=/nonexistent WATCHDOG_USEC=60000000 "$binaries/keyvigild" --config "$work/keyvigil.toml" \
        --log terminal > "$work/log" &
    daemon=$!
    until grep -q scan.finished "$work/log"; do sleep 0.2; done
    sleep 15 # libdispatch lets its idle threads go after some seconds; what work has left is returned with a later ping
    strace -f -q -o "$trace" -p "$daemon" &
    tracer=$!
    sleep "$seconds"
    kill "$tracer"; wait "$tracer" 2> /dev/null || true
    woken=$(grep -c 'epoll_wait.*= [1-9]' "$trace" || true)
    pings=$(grep -c '/nonexistent' "$trace" || true)
    printf 'idle  %9s keys, %5s repositories  RSS %5s MB, of it anonymous %5s MB, peak %5s MB; in %s s %s wake-ups, %s watchdog pings\n' \
        "$keys" "$places" "$(megabytes VmRSS)" "$(megabytes RssAnon)" "$(megabytes VmHWM)" "$seconds" "$woken" "$pings"
    kill "$daemon"; wait "$daemon" || true
    daemon=
}

grow() {
    sqlite3 "$work/keys.sqlite" "
        BEGIN;
        INSERT INTO keys (id, name, owner, issuer, environment, permissions, resources, role, status, created_at,
            expires_at, generation, next_due_at)
        WITH RECURSIVE n(i) AS (SELECT (SELECT count(*) FROM keys) UNION ALL SELECT i + 1 FROM n WHERE i < $1 - 1)
        SELECT printf('k_%010d', i), printf('key %d', i), 'ana', issuer, environment, permissions, resources, role, status,
            created_at, 4102444800000 + i, 1, 4000000000000 + i FROM n, (SELECT * FROM keys WHERE key_row = 1);
        INSERT INTO secrets (key_row, generation, state, prefix, hash, length, origin, made_at)
        SELECT key_row, 1, 'current', printf('kv_live_%08x', key_row), randomblob(32), 60, 'created', 0 FROM keys
        WHERE key_row NOT IN (SELECT key_row FROM secrets);
        COMMIT;" > /dev/null
}

"$binaries/keyvigil" create first --config "$work/keyvigil.toml" > /dev/null
grow 1000
measure 1,000 1
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
