#!/usr/bin/env python3
"""Checks that the code blocks that a document quotes from a file are parts of that file, and that what users read first is narrow.

    quotes.py check    fails if a quoted block is not a contiguous part of its file, if a block of code of docs/ is neither quoted nor
                       run, or a line or a cell is too long
    quotes.py unrun    lists the commands in the documents that no test runs, and why

A quoted block follows a line `<!-- quote PATH -->`, with the path from the root of the repository, in a Markdown file or in a
documentation comment of Swift. ReadmeTests runs the commands of the documents, but for blocks after a line `<!-- not run: WHY -->`,
and compares the output that a block of the language `console` shows.
"""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
QUOTE = re.compile(r"^<!-- quote (\S+) -->\n```[a-z]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"^ */// ?", re.MULTILINE)
# These have no line of more columns, and no cell of a table with more than a sentence.
NARROW = {"README.md": 120, "docs/INTERFACES.md": 120}
# Code of other languages than the shell's, which nothing runs as it is in the document.
FENCE = re.compile(r"(^<!-- (?:quote|not run:) [^\n]*\n\n?)?^```(?!(?:sh|console)$)[a-z]+$", re.MULTILINE)
UNRUN = re.compile(r"^<!-- not run: (.*) -->\n+(?:```[a-z]*\n|    )(.*)", re.MULTILINE)
MARK = re.compile(r"^<!-- quote ", re.MULTILINE)


def documents():
    """The Markdown and Swift files of the repository, without build products."""
    for folder, names, files in os.walk(ROOT):
        names[:] = [name for name in names if not name.startswith(".")]
        for name in files:
            if name.endswith((".md", ".swift")):
                yield os.path.join(folder, name)


def problems(document):
    """What is wrong with the quotes of a document, and their number."""
    with open(document, encoding="utf-8") as file:
        text = file.read()
    if document.endswith(".swift"):
        text = COMMENT.sub("", text)
    quotes = QUOTE.findall(text)
    found = []
    if len(quotes) != len(MARK.findall(text)):
        found.append("a quote mark is not followed by a code block")
    if f"{os.sep}docs{os.sep}" in document:
        for fence in FENCE.finditer(text):
            if fence.group(1) is None:
                found.append(f"line {text.count(chr(10), 0, fence.start()) + 1}: code that is neither quoted nor run")
    for path, block in quotes:
        try:
            with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                source = file.read()
        except OSError as error:
            found.append(f"cannot read {path}: {error.strerror}")
            continue
        # Indented parts of a file are quoted without their common indentation.
        indents = [" " * count for count in range(0, 24, 4)]
        variants = ["".join(i + l if l.strip() else l for l in block.splitlines(True)) for i in indents]
        if not any(f"\n{source}".find(f"\n{variant}") >= 0 for variant in variants):
            found.append(f"a block is not a part of {path}; copy it from there again")
    return found, len(quotes)


def excesses(document):
    """What is too long in a document."""
    limit = NARROW.get(os.path.relpath(document, ROOT))
    if limit is None:
        return []
    with open(document, encoding="utf-8") as file:
        lines = file.read().split("\n")
    found = [f"line {number} has {len(line)} columns, more than {limit}"
             for number, line in enumerate(lines, 1) if len(line) > limit]
    for number, line in enumerate(lines, 1):
        if line.startswith("|") and any(re.search(r"[.;] \S", cell) for cell in line.split("|")):
            found.append(f"line {number}: a cell has more than a sentence; say the rest in docs/")
    return found


def main():
    if sys.argv[1:] == ["unrun"]:
        for document in sorted(documents()):
            with open(document, encoding="utf-8") as file:
                for why, command in UNRUN.findall(file.read()):
                    print(f"{os.path.relpath(document, ROOT)}: {command.split('  ')[0]}: {why}")
        return
    if sys.argv[1:] != ["check"]:
        sys.exit(__doc__)
    failed, count = False, 0
    for document in sorted(documents()):
        found, quotes = problems(document)
        found += excesses(document)
        count += quotes
        for problem in found:
            failed = True
            print(f"{os.path.relpath(document, ROOT)}: {problem}", file=sys.stderr)
    if failed or count == 0:
        sys.exit("quotes.py: error: the documents do not match the files that they quote")


main()
