#!/usr/bin/env python3
"""Writes the manual pages from what the programs and the configuration say of themselves.

    manual.py PROGRAM FOLDER    writes man1, man5 and man8 into FOLDER

PROGRAM is the built keyvigil. keyvigil(1), a page for each verb and keyvigild(8) come from its help, so they are no other text than
--help; keyvigil.toml(5) comes from config/keyvigil.toml, which explains each setting.
"""

import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
CONFIGURATION = os.path.join(ROOT, "config", "keyvigil.toml")
# A paragraph of the help that is literal: commands, or a list.
LITERAL = "    "


def ask(program, name, *arguments):
    """The output of the program, called by one of its names."""
    return subprocess.run(
        [name, *arguments], executable=program, check=True, stdout=subprocess.PIPE, encoding="utf-8",
        env={**os.environ, "COLUMNS": "80"}).stdout


def escaped(text):
    """Text as roff(7) takes it literally; dashes stay what a person types."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in ".'" else line for line in text.split("\n"))


def bold(text):
    return f"\\fB{escaped(text)}\\fR"


def italic(text):
    return f"\\fI{escaped(text)}\\fR"


def lines_of(text):
    """The text of a help: paragraphs, and literal lines, which are indented. A title that ends with a colon heads the latter."""
    out, literal = [], False
    for line in (text or "").strip("\n").split("\n"):
        is_literal = line.startswith(LITERAL) or (literal and not line.strip())
        if is_literal != literal:
            out.append(".PP\n.RS 4\n.nf" if is_literal else ".fi\n.RE\n.PP")
            literal = is_literal
        if is_literal:
            out.append(escaped(line[len(LITERAL):]))
        elif line.strip():
            out.append(escaped(line))
        else:
            out.append(".PP")
    if literal:
        out.append(".fi\n.RE")
    return out


def name_of(argument, name):
    return ("-" if name["kind"] == "short" else "--") + name["name"]


def shown(command):
    return [argument for argument in command.get("arguments", []) if argument.get("shouldDisplay", True)]


def synopsis(command, path):
    parts = []
    for argument in shown(command):
        if argument["kind"] == "positional":
            value = italic(argument["valueName"].upper()) + ("..." if argument["isRepeating"] else "")
            parts.append(f"[{value}]" if argument["isOptional"] else value)
    options = " [" + italic("OPTIONS") + "]" if any(a["kind"] != "positional" for a in shown(command)) else ""
    return bold(" ".join(path)) + options + "".join(" " + part for part in parts)


def option(argument):
    """One argument: its names, its value, what it does and its default."""
    if argument["kind"] == "positional":
        head = italic(argument["valueName"].upper())
    else:
        head = ", ".join(bold(name_of(argument, name)) for name in argument["names"])
        if argument["kind"] == "option":
            head += " " + italic(argument["valueName"].upper())
    text = argument.get("abstract", "")
    default = argument.get("defaultValue")
    if default and "(default:" not in text:
        text = f"{text.rstrip('.')} (default: {default})."
    return [".TP", head, escaped(text)]


def options(command):
    """The arguments, in the groups of the help."""
    out = []
    groups = {}
    for argument in shown(command):
        title = "ARGUMENTS" if argument["kind"] == "positional" else argument.get("sectionTitle") or "OPTIONS"
        groups.setdefault(title.upper(), []).append(argument)
    for title in sorted(groups, key=["ARGUMENTS", "OPTIONS"].index if set(groups) <= {"ARGUMENTS", "OPTIONS"} else
                        lambda title: (title != "ARGUMENTS", title == "COMMON OPTIONS", title == "OPTIONS")):
        out.append(f".SH {title}")
        for argument in groups[title]:
            out += option(argument)
    return out


def description(command):
    """The discussion, with its examples in a section of their own."""
    text = command.get("discussion", "")
    before, mark, after = text.partition("Examples:\n")
    sections = [".SH DESCRIPTION", escaped(command["abstract"])]
    if before.strip():
        sections += [".PP"] + lines_of(before)
    return sections, [".SH EXAMPLES"] + lines_of(after) if mark else []


def heading(title, section, version):
    return [f'.TH {escaped(title.upper())} {section} "" "Keyvigil {version}" "Keyvigil Manual"']


def brief(command):
    abstract = command["abstract"].rstrip(".")
    return abstract[0].lower() + abstract[1:]


def page_of_verb(command, version):
    path = ["keyvigil", command["commandName"]]
    name = "-".join(path)
    parts = [part for part in command.get("subcommands", []) if part["commandName"] != "help"]
    out = heading(name, 1, version) + [".SH NAME", f"{escaped(name)} \\- {escaped(brief(command))}", ".SH SYNOPSIS"]
    described, examples = description(command)
    if parts:
        for part in parts:
            optional = part["commandName"] == command.get("defaultSubcommand")
            line = synopsis(part, path + [part["commandName"]])
            out += [line, ".br"] if not optional else [line, ".br", f".\\\" {part['commandName']} is the default", ]
        out += described
        default = command.get("defaultSubcommand")
        if default:
            out += [".PP", f"Without one of its commands, {bold(' '.join(path))} does {bold(default)}."]
        for part in parts:
            out += [f".SH {escaped(part['commandName'].upper())}", escaped(part["abstract"])]
            own, more = description(part)
            out += own[2:]
            for argument in shown(part):
                out += option(argument)
            out += [".PP", "Example:"] + more[1:] if more else []
    else:
        out += [synopsis(command, path)] + described + options(command)
    out += examples
    out += [".SH SEE ALSO", f"{bold('keyvigil')}(1), {bold('keyvigil.toml')}(5), {bold('keyvigild')}(8)"]
    return out


def groups_of(help_text, verbs):
    """The verbs in the groups of the help, which its dump lacks."""
    groups, title = [], None
    for line in help_text.split("\n"):
        match = re.match(r"^(.*) SUBCOMMANDS:$", line)
        if match:
            title = match[1]
            groups.append((title, []))
        elif title and (word := re.match(r"^  ([a-z][a-z-]*)(\s|$)", line)) and word[1] in verbs:
            groups[-1][1].append(word[1])
    return groups


def page_of_tool(tool, help_text, version):
    verbs = {verb["commandName"]: verb for verb in tool["subcommands"] if verb["commandName"] != "help"}
    groups = groups_of(help_text, verbs)
    grouped = {name for _, names in groups for name in names}
    if grouped != set(verbs):
        sys.exit(f"manual.py: error: the help lists {sorted(set(verbs) ^ grouped)} in no group")
    out = heading("keyvigil", 1, version) + [
        ".SH NAME", f"keyvigil \\- {escaped(brief(tool))}", ".SH SYNOPSIS",
        f"{bold('keyvigil')} {italic('VERB')} [{italic('OPTIONS')}] [{italic('ARGUMENTS')}]"]
    described, examples = description(tool)
    out += described + [".SH VERBS"]
    for title, names in groups:
        out.append(f".SS {escaped(title.capitalize())}")
        for name in names:
            out += [".TP", f"{bold('keyvigil-' + name)}(1)", escaped(verbs[name]["abstract"])]
    out += [".SH OPTIONS"]
    for argument in shown(tool):
        out += option(argument)
    out += examples
    out += [".SH SEE ALSO", f"{bold('keyvigil.toml')}(5), {bold('keyvigild')}(8), {bold('journalctl')}(1)",
            ".PP", "The documents in " + italic("/usr/share/doc/keyvigil") + "."]
    return out


def page_of_daemon(daemon, version):
    described, examples = description(daemon)
    return heading("keyvigild", 8, version) + [
        ".SH NAME", f"keyvigild \\- {escaped(brief(daemon))}", ".SH SYNOPSIS", synopsis(daemon, ["keyvigild"]),
        *described, *options(daemon), *examples,
        ".SH SEE ALSO", f"{bold('keyvigil')}(1), {bold('keyvigil.toml')}(5), {bold('systemctl')}(1), {bold('journalctl')}(1)"]


def page_of_configuration(version):
    """The comment above a setting is its explanation."""
    with open(CONFIGURATION, encoding="utf-8") as file:
        lines = file.read().split("\n")
    out = heading("keyvigil.toml", 5, version) + [
        ".SH NAME", "keyvigil.toml \\- configuration of Keyvigil", ".SH SYNOPSIS",
        italic("/etc/keyvigil/keyvigil.toml"), ".br", italic("/etc/keyvigil/conf.d/*.toml"), ".SH DESCRIPTION"]
    comment, settings = [], 0
    for line in lines:
        table = re.match(r"^#?(\[\[?[a-z_.]+\]\]?)$", line)
        setting = re.match(r"^#([a-z_]+) = (.*)$", line)
        if table or setting:
            if not settings and table and not line.startswith("#") and ".SH SETTINGS" not in out:
                out += "\n.PP\n".join(escaped(text) for text in comment).split("\n") + [".SH SETTINGS"]
                comment = []
            if table:
                out += [f".SS {escaped(table[1])}"] + [escaped(text) for text in comment]
            else:
                settings += 1
                out += [".TP", f"{bold(setting[1])} = {escaped(setting[2])}"] + [escaped(text) for text in comment]
            comment = []
        elif line.startswith("# "):
            comment.append(line[2:])
        elif line.strip():
            sys.exit(f"manual.py: error: {CONFIGURATION}: cannot tell what this line is: {line}")
    out += [".SH SEE ALSO", f"{bold('keyvigil-check-config')}(1), {bold('keyvigil')}(1), {bold('keyvigild')}(8)"]
    return out


def write(folder, section, name, lines):
    target = os.path.join(folder, f"man{section}")
    os.makedirs(target, mode=0o755, exist_ok=True)
    path = os.path.join(target, f"{name}.{section}")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    os.chmod(path, 0o644)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    version = ask(program, "keyvigil", "--version").split()[-1]
    tool = json.loads(ask(program, "keyvigil", "--experimental-dump-help"))["command"]
    daemon = json.loads(ask(program, "keyvigild", "--experimental-dump-help"))["command"]
    write(folder, 1, "keyvigil", page_of_tool(tool, ask(program, "keyvigil", "--help"), version))
    for verb in tool["subcommands"]:
        if verb["commandName"] != "help":
            write(folder, 1, f"keyvigil-{verb['commandName']}", page_of_verb(verb, version))
    write(folder, 8, "keyvigild", page_of_daemon(daemon, version))
    write(folder, 5, "keyvigil.toml", page_of_configuration(version))


main()
