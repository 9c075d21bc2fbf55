#!/bin/sh
# Boots a systemd of its own: an overlay over / as its root, and namespaces of its own for everything else. Needs root.
#
#   boot.sh WORK SOURCE BINARIES    prints "init PID" (its number outside) and ends it when standard input ends
#
# WORK is an empty folder, removed at the end. SOURCE and BINARIES are found inside as /srv/keyvigil/source and
# /srv/keyvigil/binaries. All mounts are in a private mount namespace and go with its last process; the cgroup is
# removed by hand.
set -eu

# First step, outside: keep watch.
watch() {
    work=$1
    mkdir "$work/cgroup" "$work/system"
    unshare --mount --propagation private sh "$0" --enclose "$@" < /dev/null 2> "$work/errors" &
    enclosed=$!
    exec >&-
    read -r _ || true
    if [ -s "$work/init" ]; then
        read -r init < "$work/init"
        kill -KILL "$init" 2> /dev/null || true
    else
        kill -KILL "$enclosed" 2> /dev/null || true
    fi
    wait "$enclosed" 2> /dev/null || true
    # Of a system that came up, these are only unshare's words on being killed.
    [ -s "$work/init" ] || cat "$work/errors" >&2
    unshare --mount --propagation private sh "$0" --remove-cgroup "$work"
    rm -rf -- "$work"
}

# Second step: a private mount namespace; the root file system and a cgroup.
enclose() {
    work=$1
    mount -t tmpfs -o mode=0755 tmpfs "$work/system"
    mkdir "$work/system/upper" "$work/system/work" "$work/system/root"
    mount -t overlay -o "lowerdir=/,upperdir=$work/system/upper,workdir=$work/system/work" overlay "$work/system/root"
    mkdir -p "$work/system/root/srv/keyvigil/source" "$work/system/root/srv/keyvigil/binaries"
    mount --bind "$2" "$work/system/root/srv/keyvigil/source"
    mount --bind "$3" "$work/system/root/srv/keyvigil/binaries"
    cgroup=$(own_cgroup "$work")
    mkdir "$cgroup"
    echo "$$" > "$cgroup/cgroup.procs"
    exec unshare --pid --fork --kill-child --uts --ipc --cgroup --net sh "$0" --init "$@"
}

# The cgroup of the system, below that of this process, in the machine's cgroup2.
own_cgroup() {
    # A second mount of the machine's cgroup2, wherever the first one is.
    mount -t cgroup2 cgroup2 "$1/cgroup"
    printf '%s%s/keyvigil-%s' "$1/cgroup" "$(sed -n 's/^0:://p' /proc/self/cgroup | sed 's|^/$||')" "$(basename "$1")"
}

remove_cgroup() {
    cgroup=$(own_cgroup "$1")
    [ -d "$cgroup" ] || return 0
    # Killed processes leave it a moment later than their parent hears of it.
    if [ -e "$cgroup/cgroup.kill" ]; then echo 1 > "$cgroup/cgroup.kill"; fi
    tries=0
    until find "$cgroup" -depth -type d -exec rmdir {} + 2> /dev/null || [ "$tries" -ge 100 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
}

# Third step: process 1 of the new namespaces; the rest of the file systems, and systemd.
init() {
    work=$1
    root=$work/system/root
    # /proc is still the machine's: the number there is the one by which this process is known outside.
    read -r outside _ < /proc/self/stat

    mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
    mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
    mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs "$root/run"
    mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/tmp"
    mount -t tmpfs -o mode=0755,nosuid tmpfs "$root/dev"
    # Persistent, as on a usual server, and empty.
    mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs "$root/var/log"
    mkdir "$root/var/log/journal"

    mknod -m 666 "$root/dev/null" c 1 3
    mknod -m 666 "$root/dev/zero" c 1 5
    mknod -m 666 "$root/dev/full" c 1 7
    mknod -m 666 "$root/dev/random" c 1 8
    mknod -m 666 "$root/dev/urandom" c 1 9
    mknod -m 666 "$root/dev/tty" c 5 0
    mknod -m 600 "$root/dev/console" c 1 3
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,nosuid,noexec devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/dev/shm"
    ln -s /proc/self/fd "$root/dev/fd"
    ln -s /proc/self/fd/0 "$root/dev/stdin"
    ln -s /proc/self/fd/1 "$root/dev/stdout"
    ln -s /proc/self/fd/2 "$root/dev/stderr"

    # What a Keyvigil of the machine itself has left is not to be seen inside. Only the overlay forgets it.
    rm -rf -- "$root/var/lib/keyvigil" "$root/etc/keyvigil"
    # Nor do the machine's other services start: what its administrator has enabled is forgotten too.
    rm -rf -- "$root/etc/systemd/system"
    mkdir "$root/etc/systemd/system"
    for unit in getty.target console-getty.service systemd-logind.service systemd-firstboot.service \
        sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount dev-hugepages.mount; do
        ln -s /dev/null "$root/etc/systemd/system/$unit"
    done

    echo "$outside" > "$work/init"
    cd "$root"
    mkdir -p srv/keyvigil/outside
    pivot_root . srv/keyvigil/outside
    umount -l /srv/keyvigil/outside
    rmdir /srv/keyvigil/outside
    # systemd leaves this to its container's manager; without it no service sees its credentials.
    mount --make-rshared /
    # Only now: whoever enters by this number enters the root directory that it has at that time.
    echo "init $outside"
    exec env -i container=other PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        /lib/systemd/systemd --system --unit=multi-user.target < /dev/null > /dev/null 2>&1
}

case $1 in
    --enclose) shift && enclose "$@" ;;
    --init) shift && init "$@" ;;
    --remove-cgroup) shift && remove_cgroup "$@" ;;
    *) watch "$@" ;;
esac
