#!/bin/sh
# What a scan costs when there is little or nothing new, in a repository of a million objects.
#
#   sh Benchmarks/incremental.sh [BINARIES] [OBJECTS]      makes the repository (git fast-import, git gc): a minute and 100 MB
#
# "again" is the scan itself, in one process (ScanBenchmark again): it lists what there is and asks the memory for it. The
# tool's own scan opens the store besides. Then push.sh: from a push to that repository to the journal, with 1,000 watched ones.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
binaries=$(cd "${1:-.build/release}" && pwd)
objects=${2:-1000000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
umask 077

# Each commit has 124 new files in one of 400 folders, so it makes 128 objects.
git init -q --bare -b main "$work/big.git"
awk -v commits=$(((objects + 127) / 128)) 'BEGIN {
    srand(1)
    for (commit = 0; commit < commits; commit++) {
        printf "commit refs/heads/main\ncommitter A <a@example.org> %d +0000\ndata 2\nc\n", 1600000000 + commit * 60
        folder = commit % 400
        for (file = 0; file < 124; file++) {
            text = sprintf("content %d %d %d", commit, file, int(rand() * 1000000000))
            printf "M 100644 inline d%d/s%d/f%d.txt\ndata %d\n%s\n\n", folder / 20, folder % 20, file, length(text) + 1, text
        }
    }
}' | git -C "$work/big.git" fast-import --quiet
git -C "$work/big.git" gc -q
git -C "$work/big.git" count-objects -v | awk '$1 == "in-pack:" { print "objects: " $2 }'

printf '[store]\npath = "%s/keys.sqlite"\n' "$work" > "$work/keyvigil.toml"
"$binaries/keyvigil" create benchmark --config "$work/keyvigil.toml" > /dev/null
# tool LABEL: wall-clock time of the tool's scan.
tool() {
    start=$(date +%s%N)
    "$binaries/keyvigil" scan "$work/big.git" --config "$work/keyvigil.toml" > /dev/null
    end=$(date +%s%N)
    echo "$1 $start $end" | awk '{ printf "%s: %.0f ms\n", $1, ($3 - $2) / 1e6 }'
}
tool first
tool nothing-new
"$binaries/ScanBenchmark" again 100 "$work/big.git" | awk '{ printf "again: %.1f ms\n", $1 * 1000 }'
sh "$here/push.sh" "$binaries" 100 1000 "$work/big.git"
