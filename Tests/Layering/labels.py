#!/usr/bin/env python3
"""Fails if a function or an initializer has more unlabelled parameters than a call can be read with.

    labels.py    reads Sources, Tests and Benchmarks; prints each such declaration
"""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
MOST = 3
DECLARATION = re.compile(r"\b(?:func\s+[^\s(<]+|init[?!]?|subscript)\s*(?:<[^()]*?>)?\s*\(")
# Text that may contain parentheses and commas.
OPAQUE = re.compile(r'//[^\n]*|"""(?:\\.|[^\\])*?"""|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def parameters(text, start):
    """The parameters of a list that begins at `start`, behind its parenthesis."""
    found, depth, begin = [], 0, start
    for index in range(start, len(text)):
        letter = text[index]
        if letter in "([{":
            depth += 1
        elif letter in ")]}" and depth > 0:
            depth -= 1
        elif letter in ",)" and depth == 0:
            found.append(text[begin:index].strip())
            begin = index + 1
            if letter == ")":
                break
    return found


def main():
    failed = False
    for top in ["Sources", "Tests", "Benchmarks"]:
        for folder, _, names in sorted(os.walk(os.path.join(ROOT, top))):
            for name in sorted(names):
                if not name.endswith(".swift"):
                    continue
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    text = OPAQUE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), file.read())
                for match in DECLARATION.finditer(text):
                    count = sum(bool(re.match(r"(?:@\w+\s+)*_\s", part)) for part in parameters(text, match.end()))
                    if count > MOST:
                        failed = True
                        line = text.count("\n", 0, match.start()) + 1
                        print(f"{os.path.relpath(path, ROOT)}:{line}: error: {count} unlabelled parameters, at most "
                              f"{MOST} are allowed", file=sys.stderr)
    sys.exit(1 if failed else 0)


main()
