#!/bin/sh
# A demonstration: creates a store with keys in every state and a git repository with leaks, runs keyvigild on them, and
# shows the alerts. `make run` calls it.
#
#   config/demo.sh BINARIES [REPOSITORY]
#
# With REPOSITORY, that one is scanned instead. All files are created in .build/demo, whose old content is removed; nothing
# else is changed. On a terminal it runs until Ctrl-C, elsewhere for SECONDS_TO_RUN (10).
set -eu

binaries=$(cd "$1" && pwd)
repository=${2:-}
[ -z "$repository" ] || repository=$(cd "$repository" && pwd)
here=$(cd "$(dirname "$0")/.." && pwd)
demo=$here/.build/demo
umask 077
rm -rf "$demo"
mkdir -p "$demo"

kv() { "$binaries/keyvigil" "$@" --config "$demo/keyvigil.toml"; }
# A secret is printed once; the demonstration leaks some of them.
secret_of() { kv "$@" --json | sed 's/.*"secret":"\([^"]*\)".*/\1/'; }
quietly() { kv "$@" > "$demo/output" || { cat "$demo/output" >&2; exit 1; }; }

cat > "$demo/keyvigil.toml" << TOML
[store]
path = "$demo/keys.sqlite"
[rotation]
overdue_after = "3s"
[issuers]
folders = ["$here/config/issuers"]
[scan]
repositories = ["${repository:-$demo/shop.git}"]
TOML

live=$(secret_of create webshop --owner ana --permission orders:read)
dead=$(secret_of create old-importer --owner ben --permission orders:read)
quietly create reporting --owner ana --permission reports:read --expires 2099-01-31
quietly create billing --owner cleo --permission invoices:write --expires 4s
quietly create metrics --owner dan --permission metrics:write --rotate-every 3s --expires never
quietly create partner --owner eve --permission orders:read
quietly rotate partner --overlap 1h
quietly create forgotten --permission orders:read
quietly delete forgotten --yes
quietly revoke old-importer --reason 'replaced by webshop'
# A key of Qonto, in the format of the import. Like everything here it is invented.
login=pied-piper-7132
bank=$(tr -dc 'a-z0-9' < /dev/urandom | head -c 32)
printf 'name,issuer,secret,owner\nbank,qonto,%s:%s,ana\n' "$login" "$bank" > "$demo/keys.csv"
quietly import "$demo/keys.csv"
rm "$demo/keys.csv"
mentioned=$(kv show reporting --json | sed 's/.*"prefix":"\([^"]*\)".*/\1/')

if [ -z "$repository" ]; then
    # A working tree to commit from, and the bare repository that a server would have, without the user's git settings.
    export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
    export GIT_AUTHOR_NAME=Dan GIT_AUTHOR_EMAIL=dan@example.org GIT_COMMITTER_NAME=Dan GIT_COMMITTER_EMAIL=dan@example.org
    git init -q -b main "$demo/work"
    cd "$demo/work"
    printf 'import os\n\nTOKEN = "%s"\n' "$live" > deploy.py
    git add . && git commit -qm 'Deploy by hand for now'
    printf 'import os\n\nTOKEN = os.environ["TOKEN"]\n' > deploy.py
    git add . && git commit -qm 'Take the token from the environment'
    printf 'The reporting key begins with %s and lives in the vault.\n' "$mentioned" > README.md
    printf 'curl -H "Authorization: Bearer %s" https://api.example.org/orders\n' "$dead" > import.sh
    printf 'QONTO_LOGIN=%s\nQONTO_SECRET_KEY=%s\n' "$login" "$bank" > .env
    git add . && git commit -qm 'Say where the keys are'
    git clone -q --bare "$demo/work" "$demo/shop.git"
    cd "$here"
fi
unset live dead

printf 'Created a store with keys in every state in %s.\n\n' "$demo"
kv list --all
printf '\n'

journal=/run/systemd/journal/socket
if [ -S "$journal" ] && journalctl -n 0 > /dev/null 2>&1; then
    "$binaries/keyvigild" --config "$demo/keyvigil.toml" &
    daemon=$!
    journalctl -q -f -n all -o short-iso _PID="$daemon" &
    follower=$!
    printf 'keyvigild runs as process %s and writes to the journal:\n' "$daemon"
else
    "$binaries/keyvigild" --config "$demo/keyvigil.toml" --log terminal &
    daemon=$!
    follower=
    printf 'There is no journal here, so keyvigild (process %s) writes to this terminal:\n' "$daemon"
fi
stop() {
    kill -TERM "$daemon" 2> /dev/null || :
    wait "$daemon" 2> /dev/null || :
    [ -z "$follower" ] || kill "$follower" 2> /dev/null || :
}
trap 'stop; exit 0' INT TERM

printf '  scan now            kill -USR1 %s\n' "$daemon"
printf '  status entry        kill -USR2 %s\n' "$daemon"
printf '  read configuration  kill -HUP %s\n' "$daemon"
printf '  stop                kill -TERM %s, or Ctrl-C\n\n' "$daemon"

if [ -t 0 ]; then
    wait "$daemon"
else
    sleep "${SECONDS_TO_RUN:-10}"
fi
stop
