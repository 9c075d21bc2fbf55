#!/bin/sh
# From a push to its entry in the journal: how long it takes, with many watched repositories.
#
#   sh Benchmarks/push.sh [BINARIES] [PUSHES] [REPOSITORIES] [BIG.git]
#
# Each push brings a commit with a leaked secret to one of REPOSITORIES bare repositories in turn; with BIG.git, each goes
# to the branch of HEAD in a copy of that repository (made with hard links; the original is only read). The time counts from
# the end of git push, when the branch has moved, or from its start; to the time that journald gave the entry
# (__REALTIME_TIMESTAMP), or to the moment at which `journalctl -f` has shown it to a reader, by the reader's clock: journald
# lets those who follow it wait some tenths of a second, so as not to wake them for each entry.
#
# The daemon writes to the machine's journald. On a machine without one, root boots a systemd in namespaces of its own, as the
# tests do (Tests/EndToEndTests/Support/boot.sh); repositories, store and journal are on the disk all the same.
set -eu

# boot ARGUMENT...: this script once more, on a system that is booted for it.
boot() {
    [ "$(id -u)" = 0 ] && [ -x /lib/systemd/systemd ] || {
        echo 'keyvigil: error: there is no journald here to measure with' >&2
        echo 'hint: run it on a machine that systemd has booted, or as root where systemd is installed' >&2
        exit 1
    }
    source=$(cd "$(dirname "$0")/.." && pwd)
    machine=$(mktemp -d)
    chmod 0755 "$machine"
    supervisor=
    end() {
        exec 3>&-
        [ -z "$supervisor" ] || wait "$supervisor" || true
        rm -rf "$machine"
    }
    trap end EXIT
    trap 'exit 1' INT TERM
    mkdir "$machine/shared" "$machine/boot"
    cp -L "$1/keyvigil" "$1/keyvigild" "$machine/shared"
    [ -z "${4:-}" ] || git clone -q --bare --local "$4" "$machine/shared/big.git"
    mkfifo "$machine/end"
    sh "$source/Tests/EndToEndTests/Support/boot.sh" "$machine/boot" "$source" "$machine/shared" \
        < "$machine/end" > "$machine/init" &
    supervisor=$!
    exec 3> "$machine/end"
    until grep -q '^init' "$machine/init"; do
        kill -0 "$supervisor" 2> /dev/null || exit 1
        sleep 0.1
    done
    inside=/srv/keyvigil/binaries
    # Not exec: the traps end the system.
    nsenter -t "$(cut -d ' ' -f 2 "$machine/init")" -m -p -u -i -C -n -r -w -- env -i "PATH=$PATH" HOME=/root \
        TMPDIR="$inside" sh -ec '
            until [ -S /run/systemd/private ]; do sleep 0.1; done
            systemctl is-system-running --wait > /dev/null || true
            mkdir "$TMPDIR/journal"
            mount --bind "$TMPDIR/journal" /var/log/journal
            systemctl restart systemd-journald
            exec sh /srv/keyvigil/source/Benchmarks/push.sh "$@"
        ' boot "$inside" "${2:-}" "${3:-}" ${4:+"$inside/big.git"}
}

binaries=$(cd "${1:-.build/release}" && pwd)
pushes=${2:-100}
count=${3:-1000}
big=${4:-}
if ! [ -S /run/systemd/journal/socket ]; then
    boot "$binaries" "$pushes" "$count" "$big"
    exit
fi
work=$(mktemp -d)
daemon=
follower=
end() {
    [ -z "$daemon" ] || kill "$daemon" 2> /dev/null || true
    [ -z "$follower" ] || kill "$follower" 2> /dev/null || true
    rm -rf "$work"
}
trap end EXIT
trap 'exit 1' INT TERM
umask 077
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org
export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org

mkdir "$work/git"
printf '[store]\npath = "%s/keys.sqlite"\n[scan]\nrepositories = ["%s/git/*.git"]\ninterval = "never"\n' "$work" "$work" \
    > "$work/keyvigil.toml"
"$binaries/keyvigil" create leaked --json --config "$work/keyvigil.toml" > "$work/key"
secret=$(sed 's/.*"secret":"\([^"]*\)".*/\1/' "$work/key")
git init -q --bare -b main "$work/template.git"
rm -rf "$work/template.git/hooks"
number=0
while [ "$number" -lt "$count" ]; do
    cp -r "$work/template.git" "$work/git/$number.git"
    number=$((number + 1))
done
rm -rf "$work/template.git"
if [ -n "$big" ]; then
    git clone -q --bare --local "$big" "$work/git/big.git"
    git clone -q --shared --no-checkout "$work/git/big.git" "$work/clone"
    branch=$(git -C "$work/git/big.git" symbolic-ref --short HEAD)
else
    git init -q -b main "$work/clone"
    branch=main
fi
"$binaries/keyvigild" --config "$work/keyvigil.toml" --log journal &
daemon=$!
mkfifo "$work/entries"
journalctl --boot --follow --no-tail --quiet --output json "_PID=$daemon" > "$work/entries" 2> /dev/null &
follower=$!
# Each entry behind the moment at which it was read.
while IFS= read -r entry; do printf '%s %s\n' "$(date +%s.%6N)" "$entry"; done < "$work/entries" > "$work/journal" &
until grep -qs '"scan.finished"' "$work/journal"; do
    kill -0 "$daemon" "$follower" 2> /dev/null || { echo 'keyvigil: error: the daemon, or journalctl, has ended' >&2; exit 1; }
    sleep 0.2
done
sleep 2 # what the start itself has caused is over

cd "$work/clone"
# Only the index is made of what HEAD holds, no file.
if [ -n "$big" ]; then git read-tree HEAD; else git checkout -q --orphan "$branch" 2> /dev/null || true; fi
number=0
while [ "$number" -lt "$pushes" ]; do
    printf '%s %s\n' "$number" "$secret" > "leak$number.txt"
    git add "leak$number.txt"
    git commit -q -m "push $number"
    target="$work/git/$((number % count)).git"
    ref=bench$number
    if [ -n "$big" ]; then target=$work/git/big.git ref=$branch; fi
    start=$(date +%s.%6N)
    git push -q -f "$target" "HEAD:refs/heads/$ref"
    echo "$start $(date +%s.%6N)" >> "$work/pushed"
    number=$((number + 1))
    # Until this push is reported; then the daemon is idle again.
    tries=0
    until grep -q "\"leak$((number - 1)).txt\"" "$work/journal" || [ "$tries" -gt 600 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
done
# The clone's later pushes bring the earlier leaks to other repositories, too: the first entry of each counts.
number=0
while [ "$number" -lt "$pushes" ]; do
    entry=$(grep -m 1 "\"leak$number.txt\"" "$work/journal") || {
        echo "keyvigil: error: push $number was never reported" >&2
        exit 1
    }
    echo "${entry%% *} $(echo "$entry" | sed 's/.*"__REALTIME_TIMESTAMP":"\([0-9]*\)\([0-9]\{6\}\)".*/\1.\2/')" >> "$work/reported"
    number=$((number + 1))
done
paste -d ' ' "$work/pushed" "$work/reported" > "$work/times"
echo "$pushes pushes, $count repositories${big:+ and one of $(git -C "$big" count-objects -v |
    sed -n 's/^in-pack: //p') objects}"
# row LABEL FROM TO: the time between two columns.
row() {
    awk -v from="$2" -v to="$3" '{ printf "%.3f\n", $to - $from }' "$work/times" | sort -n | awk -v label="$1" '
        { time[NR] = $1 }
        END {
            printf "%s: median %.2f s, p99 %.2f s, longest %.2f s\n", label, time[int((NR + 1) / 2)],
                time[int(NR * 0.99 + 0.999)], time[NR]
        }'
}
row 'end of the push to the journal' 2 4
row 'end of the push to a reader of the journal' 2 3
row 'start of the push to a reader of the journal' 1 3
awk '/^voluntary_ctxt_switches/ { print "voluntary switches of the main thread since the start: " $2 }' "/proc/$daemon/status"
