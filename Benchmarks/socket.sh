#!/bin/bash
# Measures verifications through the socket, with the release build: sh Benchmarks/socket.sh [FOLDER-WITH-THE-PROGRAMS]
#
# The daemon has one core (0), the client the other (1). Beside each figure stands that of a bare answer of the same server in the same
# run: a path that is not /verify, which is refused before the store is asked.
set -euo pipefail
cd "$(dirname "$0")/.."
programs=$(realpath "${1:-.build/release}")
work=$(mktemp -d)
trap 'kill "$daemon" 2> /dev/null || true; wait 2> /dev/null || true; rm -rf "$work"' EXIT
${CC:-cc} -O2 Benchmarks/Socket/load.c -o "$work/load"
chmod 0700 "$work"
connections=${CONNECTIONS:-32}
seconds=${SECONDS_EACH:-5}

printf '[store]\npath = "%s/keys.sqlite"\n[scan]\nrepositories = ["%s/scanned"]\ninterval = "never"\n' "$work" "$work" > "$work/keyvigil.toml"
export KEYVIGIL_CONFIG=$work/keyvigil.toml
secret=$("$programs/keyvigil" create caller --expires never --permission '*' --json | sed 's/.*"secret":"\([^"]*\)".*/\1/')
mkdir "$work/scanned"

taskset -c 0 systemd-socket-activate --listen="$work/verify.sock" --fdname=verify \
    "$programs/keyvigild" --config "$work/keyvigil.toml" --log terminal > "$work/log" 2>&1 &
daemon=$!
until [ -S "$work/verify.sock" ]; do sleep 0.1; done

ask() { # NAME TARGET SECRET [RATE]
    printf '%-44s' "$1"
    printf 'Authorization: Bearer %s\n' "$3" | taskset -c 1 "$work/load" "$work/verify.sock" "$2" "$connections" "$seconds" ${4:-}
}
time_used() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

ask 'warming up' /verify "$secret" > /dev/null
ask 'bare answers, as many as possible' /bare "$secret"
before=$(time_used "$daemon")
ask 'verifications, as many as possible' /verify "$secret"
echo "    processor time of the daemon: $(( ($(time_used "$daemon") - before) * 100 / (seconds * $(getconf CLK_TCK)) )) % of one core"
ask 'bare answers, 10000 a second' /bare "$secret" 10000
ask 'verifications, 10000 a second' /verify "$secret" 10000
ask 'refusals, 1000 a second' /verify kv_live_none 1000
if [ -n "${SCAN:-}" ]; then
    git clone -q --bare "$SCAN" "$work/scanned/repository.git"
    # The scan has both cores, as it would.
    taskset -a -p -c 0,1 "$daemon" > /dev/null
    sed -i "s|$work/scanned|$work/scanned/*.git|" "$work/keyvigil.toml"
    kill -HUP "$daemon"
    sleep 1
    kill -USR1 "$daemon"
    ask 'verifications during a full scan, 1000/s' /verify "$secret" 1000
fi
