#!/bin/sh
# Searches a folder of sources, beside rg's search of it for one literal with two threads.
#
#   sh Benchmarks/tree.sh FOLDER [RUNS=5] [BINARIES=.build/release]
#
# The two take turns; what counts is the ratio, of processor time where the machine is busy. Nothing of the folder is changed.
set -eu

[ $# -gt 0 ] || { echo 'keyvigil: error: no folder to measure' >&2; echo 'hint: sh Benchmarks/tree.sh /usr/src' >&2; exit 2; }
folder=$1
runs=${RUNS:-5}
binaries=$(cd "${BINARIES:-.build/release}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
printf '[store]\npath = "%s/keys.sqlite"\n' "$work" > "$work/keyvigil.toml"
"$binaries/keyvigil" create one --config "$work/keyvigil.toml" > /dev/null

# Wall and processor time of a command, in seconds, to a file.
measure() {
    name=$1
    shift
    env time -f '%e %U %S' -o "$work/time" "$@" > /dev/null 2>&1 || true
    tail -n 1 "$work/time" | awk '{ print $1, $2 + $3 }' >> "$work/$name"
}
run=0
while [ "$run" -lt "$runs" ]; do
    measure rg rg -uuu -F -j2 kv_live_Zzzzzzzz_ "$folder"
    measure keyvigil "$binaries/keyvigil" scan "$folder" --config "$work/keyvigil.toml"
    run=$((run + 1))
done
median() { sort -n -k "$2" "$work/$1" | awk -v column="$2" '{ value[NR] = $column } END { print value[int((NR + 1) / 2)] }'; }
printf 'rg        %6.2f s wall, %6.2f s processor\n' "$(median rg 1)" "$(median rg 2)"
printf 'keyvigil  %6.2f s wall, %6.2f s processor\n' "$(median keyvigil 1)" "$(median keyvigil 2)"
awk -v a="$(median keyvigil 1)" -v b="$(median rg 1)" -v c="$(median keyvigil 2)" -v d="$(median rg 2)" \
    'BEGIN { printf "ratio     %6.2f wall, %6.2f processor\n", a / b, c / d }'
