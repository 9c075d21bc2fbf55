#!/bin/sh
# Builds the image of config/examples/ci from its Containerfile, and runs the jobs' script in it. Needs root and Debian's archive.
#
#   image.sh PACKAGE     the package from `make deb`
#
# The image that the Containerfile starts from is made here, of Debian's minimal packages.
set -eu
[ "$(id -u)" = 0 ] || { echo 'image.sh: skipped: it needs root'; exit 0; }
package=$(realpath "$1")
examples=$(realpath "$(dirname "$0")/../../../config/examples/ci")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { echo "image.sh: $*"; }
fail() { say "error: $*" >&2; exit 1; }
# Without a registry, a service, or a mount of its own for each step.
image() { buildah --root "$work/images" --runroot "$work/running" --storage-driver vfs "$@"; }

mkdir "$work/context"
cp "$package" "$examples/Containerfile" "$examples/keyvigil-ci" "$work/context"
base=$(sed -n 's/^FROM //p' "$work/context/Containerfile")
say "making $base"
mmdebstrap --quiet --variant=minbase bookworm "$work/base.tar"
container=$(image from scratch)
image add --quiet "$container" "$work/base.tar" / > "$work/log"
image commit --quiet --rm "$container" "$base" > "$work/log"
rm "$work/base.tar"
say 'building the image'
image build --quiet --pull-never --isolation chroot --network host --tag keyvigil-ci "$work/context" > "$work/log" 2>&1 || {
    cat "$work/log" >&2
    fail 'the image does not build'
}

# A repository of another user, with a secret in its history that is put together here, so that no scanner takes it for a leak.
repository=$work/repository
git init -q -b main "$repository"
change() {
    echo "$1" > "$repository/file.txt"
    git -C "$repository" add file.txt
    git -C "$repository" -c user.name=Dan -c user.email=dan@example.org commit -q -m change
}
# job STATUS RESULTS: runs a job, which has to end with a status and find a number of secrets.
job() {
    chown -R 1000:1000 "$repository"
    container=$(image from keyvigil-ci)
    status=0
    image run --isolation chroot --volume "$repository:/builds/shop:ro" --workingdir /builds/shop "$container" -- \
        sh -c 'keyvigil-ci --sarif || echo "$?" >&2' > "$work/sarif" 2> "$work/status" || fail 'the job does not run'
    image rm "$container" > "$work/log"
    chown -R 0:0 "$repository"
    [ "$(tail -n 1 "$work/status")" = "$1" ] || fail "the job has ended with '$(cat "$work/status")', not with '$1'"
    count=$(python3 -c 'import json, sys; print(len(json.load(sys.stdin)["runs"][0]["results"]))' < "$work/sarif")
    [ "$count" = "$2" ] || fail "the job has found $count, not $2"
}
change none
job '' 0
change "token = hf_$(printf 'aBcDeFgHiJ%.0s' 1 2 3)kLmN"
change none
job 1 1
say 'the image builds, and a job finds what is in the history'
