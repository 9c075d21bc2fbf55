#!/usr/bin/env python3
"""Draws docs/session.svg: a session with the built program on a terminal of 80 columns.

    session.py PROGRAM > docs/session.svg
    session.py PROGRAM --check docs/session.svg    fails if the picture shows something else than the program prints now

What is shown is what the program printed, but for the bodies of secrets. The check leaves out what differs from run to run.
"""

import difflib
import html
import os
import pty
import re
import subprocess
import sys
import tempfile

COLUMNS = 80
# The commands; those that begin with a dash are run and not shown.
COMMANDS = [
    "keyvigil create webshop --owner ana --permission orders:read",
    "-cd shop && git add -A && git commit -q -m 'Deploy the shop'",
    "keyvigil scan shop",
    "keyvigil list",
]
COLOURS = {"31": "#e06c75", "32": "#98c379", "33": "#e5c07b", "2": "#7f848e"}
LINE, WIDTH, LEFT, TOP = 18, 8.4, 14, 42


def run(command, environment):
    """The output of a command on a terminal of its own."""
    reader, writer = pty.openpty()
    subprocess.run(["stty", "cols", str(COLUMNS), "rows", "50"], stdin=writer, check=True)
    process = subprocess.Popen(
        ["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, stdout=writer, stderr=writer, env=environment,
        cwd=environment["HOME"])
    os.close(writer)
    output = b""
    while True:
        try:
            part = os.read(reader, 65536)
        except OSError:
            break
        if not part:
            break
        output += part
    process.wait()
    os.close(reader)
    # A progress line is drawn over until it is taken away.
    return re.sub(r"[^\n]*\r\x1b\[K", "", output.decode().replace("\r\n", "\n"))


def masked(text, home):
    """Without what a picture must not have: bodies of secrets, and the folder that the session was in."""
    text = re.sub(r"(kv_live_[0-9A-Za-z]{8}_)[0-9A-Za-z]{20,}", r"\1••••••••••••••••••••••••••••", text)
    return text.replace(home, "/srv")


def line(text, row):
    """One line of SVG; the escape sequences of the program's styles become colours and weights."""
    out, style, column = [], {}, 0
    for code, words in re.findall(r"\x1b\[([0-9]*)m|([^\x1b]+)", text):
        if words:
            attributes = "".join(f' {name}="{value}"' for name, value in style.items())
            x = LEFT + column * WIDTH
            out.append(f'<tspan x="{x:.1f}"{attributes}>{html.escape(words)}</tspan>')
            column += len(words)
        elif code in ("0", ""):
            style = {}
        elif code == "1":
            style["font-weight"] = "bold"
        else:
            style["fill"] = COLOURS[code]
    return f'<text y="{TOP + row * LINE}" xml:space="preserve">{"".join(out)}</text>'


def session(program):
    """The lines of the terminal, with their escape sequences."""
    rows = []
    with tempfile.TemporaryDirectory() as home:
        home = os.path.realpath(home)
        os.makedirs(os.path.join(home, "bin"))
        os.symlink(program, os.path.join(home, "bin", "keyvigil"))
        with open(os.path.join(home, "keyvigil.toml"), "w", encoding="utf-8") as file:
            file.write(f'[store]\npath = "{home}/keys.sqlite"\n')
        environment = {
            "HOME": home, "PATH": f"{home}/bin:/usr/bin:/bin", "TERM": "xterm", "LC_ALL": "C.UTF-8", "TZ": "UTC",
            "KEYVIGIL_CONFIG": f"{home}/keyvigil.toml", "KEYVIGIL_PAGER": "cat", "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_AUTHOR_NAME": "Dan", "GIT_AUTHOR_EMAIL": "dan@example.org", "GIT_COMMITTER_NAME": "Dan",
            "GIT_COMMITTER_EMAIL": "dan@example.org"}
        subprocess.run(["git", "init", "-q", "-b", "main", os.path.join(home, "shop")], check=True, env=environment)
        for command in COMMANDS:
            output = run(command.lstrip("-"), environment)
            if found := re.search(r"kv_live_[0-9A-Za-z]{8}_[0-9A-Za-z]{20,}", output):
                with open(os.path.join(home, "shop", "deploy.py"), "w", encoding="utf-8") as file:
                    file.write(f'TOKEN = "{found[0]}"\n')
            if command.startswith("-"):
                continue
            rows.append(f"\x1b[32m$\x1b[0m \x1b[1m{command}\x1b[0m")
            for text in masked(output, home).rstrip("\n").split("\n"):
                # As a terminal breaks what is longer.
                plain = re.sub(r"\x1b\[[0-9]*m", "", text)
                rows += [text] if len(plain) <= COLUMNS else [plain[i:i + COLUMNS] for i in range(0, len(plain), COLUMNS)]
            rows.append("")
    rows.pop()
    return rows


def picture(rows):
    """The lines as SVG."""
    out = []
    width, height = LEFT * 2 + COLUMNS * WIDTH, TOP + len(rows) * LINE
    out.append(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
          'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" fill="#dcdfe4">')
    out.append(f'<rect width="{width:.0f}" height="{height}" rx="8" fill="#1e2127"/>')
    for index, colour in enumerate(["#e06c75", "#e5c07b", "#98c379"]):
        out.append(f'<circle cx="{18 + index * 18}" cy="16" r="5.5" fill="{colour}"/>')
    for row, text in enumerate(rows):
        out.append(line(text, row))
    out.append("</svg>")
    return "\n".join(out) + "\n"


def comparable(picture):
    """The lines of a picture, without what differs from run to run: ids, instants, sizes."""
    texts = re.findall(r"<text [^>]*>(.*)</text>", picture)
    lines = [html.unescape(re.sub(r"<[^>]*>", "", text)) for text in texts]
    # A long line is broken where the terminal ends, wherever in an id that is.
    text = re.sub(rf"^(.{{{COLUMNS}}})\n", r"\1", "\n".join(lines), flags=re.MULTILINE)
    for pattern in [r"(?<=kv_live_)\w{8}", r"(?<=key_)\w{16}", r"\b[0-9a-f]{12}\b", r"\d{4}-\d\d-\d\d[ T][\d:]{8}(?: UTC|Z)",
                    r"\b[\d.]+ kB"]:
        text = re.sub(pattern, "*", text)
    return text.split("\n")


def main():
    if len(sys.argv) not in (2, 4) or len(sys.argv) == 4 and sys.argv[2] != "--check":
        sys.exit(__doc__)
    drawn = picture(session(os.path.abspath(sys.argv[1])))
    if len(sys.argv) == 2:
        sys.stdout.write(drawn)
        return
    with open(sys.argv[3], encoding="utf-8") as file:
        before = comparable(file.read())
    if difference := list(difflib.unified_diff(before, comparable(drawn), "the picture", "the program", lineterm="")):
        print("\n".join(difference), file=sys.stderr)
        sys.exit(f"session.py: error: {sys.argv[3]} is out of date: session.py PROGRAM > {sys.argv[3]}")


main()
