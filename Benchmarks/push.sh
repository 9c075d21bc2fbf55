#!/bin/sh
# From a push to the alert: how long it takes, with many watched repositories.
#
#   sh Benchmarks/push.sh [BINARIES] [PUSHES] [REPOSITORIES] [BIG.git]
#
# Each push brings a commit with a leaked secret to one of REPOSITORIES bare repositories in turn; with BIG.git, each goes
# to the branch of HEAD in a copy of that repository (made with hard links; the original is only read). The time counts from the moment at which
# git push has ended to the line of the alert, and is taken by date(1) of both, to a millisecond. With --log terminal a line
# is written where the journal's entry is sent otherwise.
set -eu

binaries=$(cd "${1:-.build/release}" && pwd)
pushes=${2:-100}
count=${3:-1000}
big=${4:-}
work=$(mktemp -d)
daemon=
end() { [ -z "$daemon" ] || kill "$daemon" 2> /dev/null || true; rm -rf "$work"; }
trap end EXIT INT TERM
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
"$binaries/keyvigild" --config "$work/keyvigil.toml" --log terminal > "$work/log" &
daemon=$!
until grep -q scan.finished "$work/log"; do sleep 0.2; done
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
    git push -q -f "$target" "HEAD:refs/heads/$ref"
    date +%s.%3N >> "$work/pushed"
    number=$((number + 1))
    # Until this push is told; then the daemon is idle again.
    tries=0
    until grep -q "leak$((number - 1)).txt:" "$work/log" || [ "$tries" -gt 600 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
done
# The clone's later pushes bring the earlier leaks to other repositories, too: the first alert of each counts.
number=0
while [ "$number" -lt "$pushes" ]; do
    at=$(grep -m 1 "leak$number.txt:" "$work/log" | cut -d ' ' -f 1)
    [ -n "$at" ] || { echo "keyvigil: error: push $number was never told" >&2; exit 1; }
    date -d "$at" +%s.%3N >> "$work/told"
    number=$((number + 1))
done
paste "$work/pushed" "$work/told" | awk '{ printf "%.3f\n", $2 - $1 }' | sort -n > "$work/times"
awk -v count="$count" -v big="${big:+ and $big}" '
    { time[NR] = $1 }
    END {
        printf "push to alert, %d pushes, %d repositories%s: median %.2f s, p99 %.2f s, longest %.2f s\n", NR, count, big,
            time[int((NR + 1) / 2)], time[int(NR * 0.99 + 0.999)], time[NR]
    }' "$work/times"
awk '/^voluntary_ctxt_switches/ { print "voluntary switches of the main thread since the start: " $2 }' "/proc/$daemon/status"
