#!/usr/bin/env python3
"""Fails where a command that a message shows has a value in it that a shell may take for something else.

    commands.py    reads Sources; prints each such place

A value in a command is written `\\(argument: VALUE)`, which quotes it as a shell needs. Ids, numbers and constants need no quotes.
"""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
LITERAL = re.compile(r'"""(?:\\.|[^\\])*?"""|"(?:\\\((?:[^()"]|"[^"]*"|\([^()]*(?:\([^()]*\)[^()]*)*\))*\)|\\.|[^"\\\n])*"', re.DOTALL)
JOINED = re.compile(r'"\s*\+\s*"')
PROGRAMS = ("cat chattr chmod chown cp df echo findmnt fuser install journalctl ls mkdir mount mv namei psql rm "
            "setfacl setpriv stat sudo sysctl systemctl systemd-run tee touch usermod").split()
# A command begins a literal, or follows what ends a sentence or another command.
COMMAND = re.compile(r'(?:^|[:;|>] |&& |\b(?:by|or|run|then|sudo|with|this|again:?) )(?:%s|keyvigil [a-z-]+) (?=.*\\\()' % "|".join(PROGRAMS), re.DOTALL)
VALUE = re.compile(r"\\\(((?:[^()]|\([^()]*(?:\([^()]*\)[^()]*)*\))*)\)")
PLAIN = re.compile(r"arguments?: .*|command: .*|(?:[\w$]+[.?!]*)*\b\w*(?:[iI][dD]|[nN]umber)|number\(.*\)|ServiceUser\.\w+|HookList\.standardPath|"
                   r"SocketName\.\w+", re.DOTALL)


def main():
    failed = False
    for folder, _, names in sorted(os.walk(os.path.join(ROOT, "Sources"))):
        for name in sorted(names):
            if not name.endswith(".swift"):
                continue
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            # Comments may have quotes, and literals in several parts are one command.
            text = re.sub(r"(?m)^[ \t]*//.*$", "", text)
            text = JOINED.sub(lambda match: "\0" * match[0].count("\n"), text)
            for literal in LITERAL.finditer(text):
                body = literal[0].strip('"').replace("\0", "")
                command = COMMAND.search(body)
                if not command:
                    continue
                for value in VALUE.finditer(body, command.end()):
                    if not PLAIN.fullmatch(value[1]):
                        failed = True
                        line = text.count("\n", 0, literal.start()) + text.count("\0", 0, literal.start()) + 1
                        print(f"{os.path.relpath(path, ROOT)}:{line}: error: \\({value[1]}) is in a command: write "
                              f"\\(argument: …)", file=sys.stderr)
    sys.exit(1 if failed else 0)


main()
