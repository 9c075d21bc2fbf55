#!/bin/bash
# Measures verifications through the socket, with the release build: Benchmarks/socket.sh [FOLDER-WITH-THE-PROGRAMS]
# SCAN=/path/to/a/repository also measures them while that is scanned for the first time.
#
# The daemon has one core (0), the client the other (1). Beside each figure is that of a bare answer of the same server in the same
# run: a path that is not /verify, which is refused before the store is asked.
set -euo pipefail
cd "$(dirname "$0")/.."
programs=$(realpath "${1:-.build/release}")
work=$(mktemp -d)
daemon=
trap 'kill "$daemon" 2> /dev/null || true; wait 2> /dev/null || true; rm -rf "$work"' EXIT
${CC:-cc} -O2 Benchmarks/Socket/load.c -o "$work/load"
chmod 0700 "$work"
connections=${CONNECTIONS:-32}
seconds=${SECONDS_EACH:-5}

printf '[store]\npath = "%s/keys.sqlite"\n[scan]\nrepositories = ["%s/scanned"]\ninterval = "never"\n' "$work" "$work" > "$work/keyvigil.toml"
export KEYVIGIL_CONFIG=$work/keyvigil.toml
make_key() { "$programs/keyvigil" create "$@" --quiet --json | sed 's/.*"secret":"\([^"]*\)".*/\1/'; }
secret=$(make_key caller --expires never --permission '*')
declare -A refused
for name in revoked rotated deleted; do refused[$name]=$(make_key "$name"); done
refused[expired]=$(make_key expired --expires 1ms)
refused[unknown]=$(echo "${refused[revoked]}" | tr '[0-9]' '[7-90-6]')
refused[malformed]=$(echo "${refused[revoked]}" | tr '[:alnum:]_' x)
"$programs/keyvigil" revoke revoked --yes > /dev/null
"$programs/keyvigil" rotate rotated --overlap 0s --quiet > /dev/null
"$programs/keyvigil" delete deleted --yes > /dev/null
mkdir "$work/scanned"

taskset -c 0 systemd-socket-activate --listen="$work/verify.sock" --fdname=verify \
    "$programs/keyvigild" --config "$work/keyvigil.toml" --log terminal > "$work/log" 2>&1 &
daemon=$!
until [ -S "$work/verify.sock" ]; do sleep 0.1; done

ask() { # NAME TARGET SECRET [RATE]
    printf '%-46s' "$1"
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
# The causes of refusals take turns, so that what else the machine does meets all. What the same cause differs from round to round is
# beside what the causes differ from each other.
causes="unknown malformed revoked expired rotated deleted"
for round in $(seq "${ROUNDS:-15}"); do
    for cause in $causes; do
        printf 'Authorization: Bearer %s\n' "${refused[$cause]}" \
            | taskset -c 1 "$work/load" "$work/verify.sock" /verify "$connections" 1 2000 \
            | sed -n 's/.* mean \([0-9.]*\), p50 \([0-9.]*\),.*/\1 \2/p' >> "$work/$cause"
    done
done
middle() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }
base=$(cut -d ' ' -f 1 "$work/unknown" | middle)
for cause in $causes; do
    median=$(cut -d ' ' -f 2 "$work/$cause" | middle)
    sort -n "$work/$cause" | awk -v cause="$cause:" -v median="$median" -v base="$base" '
        { mean[NR] = $1 }
        END {
            middle = mean[int((NR + 1) / 2)]
            printf "refusals, %-10s median %s ms; mean %s ms, %.3f of that of an unknown secret; half of the rounds %s to %s ms\n",
                cause, median, middle, middle / base, mean[int((NR + 3) / 4)], mean[int((3 * NR + 1) / 4)]
        }'
done
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
