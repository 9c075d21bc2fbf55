#!/usr/bin/env python3
"""Takes docs/report.png: the page of `keyvigil report --html` on some made-up keys, as Chromium shows it.

    report.py PROGRAM docs/report.png

The page is what the program wrote, but for the folder that the repositories were in and the name of the host.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

SIZE = "1160,1500"
KEYS = [
    ["webshop", "--owner", "ana", "--permission", "orders:read", "--expires", "90d"],
    ["billing", "--owner", "ben", "--permission", "invoices:write", "--expires", "20d", "--rotate-every", "90d"],
    ["warehouse", "--owner", "cleo", "--permission", "stock:read", "--expires", "200d", "--rotate-every", "30d"],
    ["metrics", "--owner", "ana", "--permission", "metrics:read", "--expires", "365d"],
]


def main(program, picture):
    program = os.path.abspath(program)
    with tempfile.TemporaryDirectory() as home:
        home = pathlib.Path(home)
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(home), "KEYVIGIL_CONFIG": str(home / "keyvigil.toml"),
            "GIT_AUTHOR_NAME": "Dan", "GIT_AUTHOR_EMAIL": "dan@example.org", "GIT_COMMITTER_NAME": "Dan",
            "GIT_COMMITTER_EMAIL": "dan@example.org", "XDG_CONFIG_HOME": str(home)}

        def run(*command, allowed=(0,)):
            done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)
            if done.returncode not in allowed:
                sys.exit(f"{command[0]} {command[1]}: {done.stderr}")
            return done.stdout

        (home / "keyvigil.toml").write_text(
            f'[store]\npath = "{home}/keys.sqlite"\n[scan]\nrepositories = ["{home}/git/*"]\n')
        secrets = [json.loads(run(program, "create", *key, "--json"))["secret"] for key in KEYS]
        for name, text in [("shop", f"token = {secrets[0]}\n"), ("docs", "No key is here.\n")]:
            folder = home / "git" / name
            folder.mkdir(parents=True)
            (folder / "settings.toml").write_text(text)
            for command in ["init -q", "add -A", "commit -qm Deploy"]:
                run("git", "-C", str(folder), *command.split())
        (home / "keyvigild").symlink_to(program)
        daemon = subprocess.Popen(
            [home / "keyvigild", "--config", home / "keyvigil.toml"], env=environment, cwd=home,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while "not there; searched whole" not in run(program, "show", "metrics", "--absence", allowed=(0, 1, 2)):
                time.sleep(0.2)
            run(program, "report", "--html", str(home / "report.html"))
        finally:
            daemon.terminate()
            daemon.wait()
        page = home / "report.html"
        host = f" on {socket.gethostname()},"
        page.write_text(page.read_text().replace(str(home), "/srv").replace(host, " on web1,"))
        run("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={SIZE}",
            f"--screenshot={os.path.abspath(picture)}", page.as_uri())


if __name__ == "__main__":
    main(*sys.argv[1:])
