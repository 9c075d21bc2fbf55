#!/bin/sh
# Measures scans of whole histories beside git's own reading of them, and scans of folders beside rg's.
#
#   make bench-scan REPOS="/path/to/git.git /path/to/redis.git" [RUNS=3] [BINARIES=.build/release]
#
# Every repository needs its objects in packs (git gc). The programs take turns, so that a busy machine slows all of them;
# the ratios are what counts. gitleaks and kingfisher (pip install kingfisher-bin) are measured where they are installed, with
# one rule each, and without asking anybody whether what they find is valid. Nothing of the repositories is changed.
# RUNS=1 gives a quick look: kingfisher takes most of the time. CURVE=yes adds scans for 1 to 1,000,000 prefixes, with a common
# start and without (sign-ins), beside rg -F -f.
set -eu

binaries=$(cd "${BINARIES:-.build/release}" && pwd)
runs=${RUNS:-3}
[ $# -gt 0 ] || { echo 'keyvigil: error: no repository to measure' >&2; echo 'hint: make bench-scan REPOS="/path/to/a.git"' >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
umask 077
printf '[store]\npath = "%s/keys.sqlite"\n' "$work" > "$work/keyvigil.toml"
# The same store with the issuers of this checkout, whose secrets are searched for by their forms, or are not.
issuers=$(cd "$(dirname "$0")/../config/issuers" && pwd)
{ cat "$work/keyvigil.toml"; printf '[issuers]\nfolders = ["%s"]\n' "$issuers"; } > "$work/forms.toml"
{ cat "$work/forms.toml"; printf '[scan]\nunregistered = false\n'; } > "$work/no-forms.toml"
"$binaries/keyvigil" create benchmark --owner benchmark --permission read --json --config "$work/keyvigil.toml" > "$work/key"
prefix=$(sed 's/.*"prefix":"\([^"]*\)".*/\1/' "$work/key")
secret=$(sed 's/.*"secret":"\([^"]*\)".*/\1/' "$work/key")
cat > "$work/kingfisher.yml" << RULES
rules:
  - { name: kv, id: benchmark.kv, pattern: '(${prefix}[A-Za-z0-9]{8,})', confidence: medium, min_entropy: 0 }
RULES
printf '[[rules]]\nid = "kv"\nregex = "%s[A-Za-z0-9]{8,}"\n' "$prefix" > "$work/gitleaks.toml"

# seconds COMMAND...: its wall-clock time; what it finds does not matter, but it has to have looked.
seconds() {
    status=0
    start=$(date +%s%N)
    "$@" > /dev/null 2> "$work/errors" || status=$?
    end=$(date +%s%N)
    case $status in
        0 | 1 | 200) ;; # kingfisher says by 200 that it found something
        *)
            tail -n 5 "$work/errors" >&2
            echo "keyvigil: error: $1 ended with $status" >&2
            exit 2
            ;;
    esac
    echo "$start $end" | awk '{ printf "%.3f\n", ($2 - $1) / 1e9 }'
}
# peak COMMAND...: the most memory of its own that it has at once, in MB: without the packs that it maps, of which the
# system keeps in memory what it likes.
peak() {
    "$@" > /dev/null 2>&1 &
    most=0
    while now=$(awk '/^RssAnon/ { print $2 }' "/proc/$!/status" 2> /dev/null) && [ -n "$now" ]; do
        [ "$now" -le "$most" ] || most=$now
    done
    wait "$!" || true
    echo "$((most / 1024)) MB"
}
median() { sort -n "$1" | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }
row() { printf '%-44s %8s s %7s\n' "$1" "$2" "$(echo "$2 $3" | awk '{ printf "%.3f", $1 / $2 }')"; }
ours() { "$binaries/keyvigil" scan --full "$1" --config "$work/${2:-keyvigil}.toml"; }
blobs() { git -C "$1" cat-file --batch --buffer < "$work/blobs"; }

for repository in "$@"; do
    git -C "$repository" cat-file --batch-all-objects --unordered --batch-check='%(objecttype) %(objectname)' |
        awk '$1 == "blob" { print $2 }' > "$work/blobs"
    git clone -q --bare --shared "$repository" "$work/leaky.git"
    blob=$(printf 'token = %s\n' "$secret" | git -C "$work/leaky.git" hash-object -w --stdin)
    tree=$(printf '100644 blob %s\ttoken.txt\n' "$blob" | git -C "$work/leaky.git" mktree)
    commit=$(echo leak | git -C "$work/leaky.git" -c user.name=b -c user.email=b@example.org commit-tree "$tree")
    git -C "$work/leaky.git" update-ref refs/heads/leak "$commit"
    mkdir "$work/tree"
    git -C "$repository" archive HEAD | tar -x -C "$work/tree"
    pack=$(ls -S "$repository"/objects/pack/*.pack "$repository"/.git/objects/pack/*.pack 2> /dev/null | head -n 1)
    rm -f "$work"/t.*
    run=0
    while [ "$run" -lt "$runs" ]; do
        run=$((run + 1))
        seconds blobs "$repository" >> "$work/t.git"
        "$binaries/ScanBenchmark" floor "$pack" | cut -d ' ' -f 1 >> "$work/t.floor"
        seconds ours "$repository" >> "$work/t.ours"
        seconds ours "$repository" forms >> "$work/t.forms"
        seconds ours "$repository" no-forms >> "$work/t.no-forms"
        seconds ours "$work/leaky.git" >> "$work/t.leaky"
        seconds ours "$work/tree" >> "$work/t.tree"
        if command -v rg > /dev/null; then seconds rg -uuu -F -j2 "$prefix" "$work/tree" >> "$work/t.rg"; fi
        if command -v gitleaks > /dev/null; then
            seconds gitleaks git --no-banner -c "$work/gitleaks.toml" "$repository" >> "$work/t.gitleaks"
        fi
        if command -v kingfisher > /dev/null; then
            seconds kingfisher scan -j 2 --quiet --no-update-check --no-validate --load-builtins=false \
                --rules-path "$work/kingfisher.yml" --rule-cache-dir "$work/cache" "$repository" >> "$work/t.kingfisher"
        fi
    done
    echo
    echo "$repository: $(wc -l < "$work/blobs") blobs; medians of $runs, beside the first line"
    base=$(median "$work/t.git")
    row 'git cat-file --batch of all blobs' "$base" "$base"
    row 'floor: libdeflate over the largest pack' "$(median "$work/t.floor")" "$base"
    row 'keyvigil scan: history, one key' "$(median "$work/t.ours")" "$base"
    row 'keyvigil scan: history, one key, one leak' "$(median "$work/t.leaky")" "$base"
    row 'the same without a leak, forms of all issuers' "$(median "$work/t.forms")" "$base"
    row 'the same, [scan] unregistered = false' "$(median "$work/t.no-forms")" "$base"
    echo "memory of the two: $(peak "$binaries/keyvigil" scan --full "$repository" --config "$work/keyvigil.toml"), $(peak "$binaries/keyvigil" scan --full "$work/leaky.git" --config "$work/keyvigil.toml")"
    [ ! -e "$work/t.gitleaks" ] || row 'gitleaks, one rule' "$(median "$work/t.gitleaks")" "$base"
    [ ! -e "$work/t.kingfisher" ] || row 'kingfisher, one rule' "$(median "$work/t.kingfisher")" "$base"
    if [ -e "$work/t.rg" ]; then
        base=$(median "$work/t.rg")
        row 'rg -uuu -F, HEAD as files' "$base" "$base"
        row 'keyvigil scan: HEAD as files' "$(median "$work/t.tree")" "$base"
    fi
    if [ "${CURVE:-no}" = yes ]; then
        echo 'prefixes: seconds and MB with a common start, as sign-ins; rg -F -f of the sign-ins over HEAD as files'
        for count in 1 100 10000 1000000; do
            "$binaries/ScanBenchmark" list "$count" > "$work/list"
            rg=-
            if command -v rg > /dev/null; then rg=$(seconds rg -uuu -F -j2 -f "$work/list" "$work/tree"); fi
            echo "$count: $("$binaries/ScanBenchmark" brand "$count" "$repository")," \
                "$("$binaries/ScanBenchmark" sign-ins "$count" "$repository"); $rg"
        done
    fi
    rm -rf "$work/leaky.git" "$work/tree"
done
