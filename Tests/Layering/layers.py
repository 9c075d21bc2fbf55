#!/usr/bin/env python3
"""Checks that the uses between modules, and between the folders of a module, go one way.

    layers.py check INDEX-STORE    fails on a use that floors.txt does not allow, and if docs/layers.svg is out of date
    layers.py draw                 draws docs/layers.svg from floors.txt

INDEX-STORE is what the compiler records in a debug build: `$(swift build --show-bin-path)/index/store`.
"""

import ctypes
import html
import os
import shutil
import sys
from collections import defaultdict
from ctypes import CFUNCTYPE, byref, c_bool, c_char_p, c_int, c_size_t, c_uint, c_uint64, c_void_p

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PICTURE = os.path.join(ROOT, "docs", "layers.svg")


class Floors:
    """What floors.txt allows."""

    def __init__(self, path):
        self.uses = {}  # module -> the modules that it may use
        self.folders = {}  # module -> its folders from the ground up
        with open(path) as file:
            for number, line in enumerate(file, 1):
                words = line.split("#")[0].split()
                if not words:
                    continue
                if words[0].endswith(":"):
                    module = words[0][:-1]
                    if module not in self.uses or module in self.folders:
                        sys.exit(f"{path}:{number}: '{module}' is not named before, or has two lists")
                    self.folders[module] = words[1:]
                elif len(words) == 1 or words[1] == "uses":
                    for used in words[2:]:
                        if used not in self.uses:
                            sys.exit(f"{path}:{number}: '{used}' is not named before '{words[0]}'")
                    self.uses[words[0]] = words[2:]
                else:
                    sys.exit(f"{path}:{number}: expected 'MODULE uses MODULE...' or 'MODULE: FOLDER...'")


class String(ctypes.Structure):
    """indexstore_string_ref_t: not terminated by a NUL."""

    _fields_ = [("data", c_void_p), ("length", c_size_t)]

    def __str__(self):
        return ctypes.string_at(self.data, self.length).decode() if self.data else ""


class IndexStore:
    """The C interface of libIndexStore, which comes with the Swift toolchain (llvm-project, indexstore/indexstore.h)."""

    FUNCTIONS = {
        "store_create": (c_void_p, [c_char_p, c_void_p]),
        "store_units_apply_f": (c_bool, [c_void_p, c_uint, c_void_p, c_void_p]),
        "unit_reader_create": (c_void_p, [c_void_p, c_char_p, c_void_p]),
        "unit_reader_dispose": (None, [c_void_p]),
        "unit_reader_get_main_file": (String, [c_void_p]),
        "unit_reader_dependencies_apply_f": (c_bool, [c_void_p, c_void_p, c_void_p]),
        "unit_dependency_get_kind": (c_int, [c_void_p]),
        "unit_dependency_get_name": (String, [c_void_p]),
        "unit_dependency_get_filepath": (String, [c_void_p]),
        "record_reader_create": (c_void_p, [c_void_p, c_char_p, c_void_p]),
        "record_reader_dispose": (None, [c_void_p]),
        "record_reader_occurrences_apply_f": (c_bool, [c_void_p, c_void_p, c_void_p]),
        "occurrence_get_symbol": (c_void_p, [c_void_p]),
        "occurrence_get_roles": (c_uint64, [c_void_p]),
        "occurrence_get_line_col": (None, [c_void_p, c_void_p, c_void_p]),
        "symbol_get_usr": (String, [c_void_p]),
        "symbol_get_name": (String, [c_void_p]),
    }
    RECORD = 2  # INDEXSTORE_UNIT_DEPENDENCY_RECORD
    DEFINITION = 2  # INDEXSTORE_SYMBOL_ROLE_DEFINITION

    def __init__(self, path):
        swift = shutil.which("swift") or sys.exit("layers.py: no 'swift' is on the PATH")
        toolchain = os.path.dirname(os.path.dirname(os.path.realpath(swift)))
        library = ctypes.CDLL(os.path.join(toolchain, "lib", "libIndexStore.so"))
        for name, (result, arguments) in self.FUNCTIONS.items():
            function = getattr(library, "indexstore_" + name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)
        self.error = c_void_p()
        self.store = self.store_create(path.encode(), byref(self.error))
        if not self.store:
            sys.exit(f"layers.py: {path} is no index store; build the package first")


    def units(self):
        names = []
        callback = CFUNCTYPE(c_bool, c_void_p, String)(lambda _, name: names.append(str(name)) or True)
        self.store_units_apply_f(self.store, 0, None, callback)
        return names

    def records(self):
        """The records of the Swift files of this package that are still there: (record, file below ROOT)."""
        found = set()

        def add(dependency):
            path = str(self.unit_dependency_get_filepath(dependency))
            if self.unit_dependency_get_kind(dependency) != self.RECORD or not path.endswith(".swift"):
                return
            if path.startswith(ROOT + "/Sources/") and os.path.exists(path):
                found.add((str(self.unit_dependency_get_name(dependency)), path[len(ROOT) + len("/Sources/") :]))

        for unit in self.units():
            reader = self.unit_reader_create(self.store, unit.encode(), byref(self.error))
            if not reader:
                continue
            if str(self.unit_reader_get_main_file(reader)).startswith(ROOT + "/Sources/"):
                callback = CFUNCTYPE(c_bool, c_void_p, c_void_p)(lambda _, item: add(item) or True)
                self.unit_reader_dependencies_apply_f(reader, None, callback)
            self.unit_reader_dispose(reader)
        return sorted(found)

    def occurrences(self):
        """Each mention of a symbol: (file, line, the symbol's identifier, its name, whether it is the definition)."""
        found = []
        line, column = c_uint(), c_uint()
        for record, file in self.records():
            reader = self.record_reader_create(self.store, record.encode(), byref(self.error))
            if not reader:
                continue

            def add(occurrence):
                symbol = self.occurrence_get_symbol(occurrence)
                self.occurrence_get_line_col(occurrence, byref(line), byref(column))
                roles = self.occurrence_get_roles(occurrence)
                found.append(
                    (file, line.value, str(self.symbol_get_usr(symbol)), str(self.symbol_get_name(symbol)),
                     bool(roles & self.DEFINITION)))

            callback = CFUNCTYPE(c_bool, c_void_p, c_void_p)(lambda _, item: add(item) or True)
            self.record_reader_occurrences_apply_f(reader, None, callback)
            self.record_reader_dispose(reader)
        return found


def split(file):
    """A file's module, and its folder in it."""
    parts = file.split("/")
    return parts[0], "/".join(parts[1:-1]) or "."


def check(floors, store):
    occurrences = IndexStore(store).occurrences()
    if not occurrences:
        sys.exit(f"layers.py: {store} has no record of this package; build it first")
    definitions = {}
    for file, _, symbol, _, is_definition in occurrences:
        if is_definition:
            definitions.setdefault(symbol, file)
    faults = []
    for module in sorted({split(file)[0] for file, *_ in occurrences}):
        if module not in floors.uses:
            faults.append(f"floors.txt does not name the module '{module}'")
    for module, folders in floors.folders.items():
        there = {split(file)[1] for file, *_ in occurrences if split(file)[0] == module}
        faults += [f"floors.txt names '{module}/{folder}', which has no Swift file" for folder in set(folders) - there]
        faults += [f"floors.txt does not name '{module}/{folder}'" for folder in there - set(folders)]
    for file, line, symbol, name, is_definition in occurrences:
        target = definitions.get(symbol)
        if is_definition or target is None or target == file:
            continue
        (module, folder), (used_module, used_folder) = split(file), split(target)
        if module != used_module:
            if module in floors.uses and used_module not in floors.uses[module]:
                faults.append(f"Sources/{file}:{line}: uses '{name}' of {used_module}, which {module} may not use")
        elif module in floors.folders and folder != used_folder:
            order = floors.folders[module]
            if folder in order and used_folder in order and order.index(used_folder) > order.index(folder):
                faults.append(f"Sources/{file}:{line}: uses '{name}' of {used_folder}, which is above {folder}")
    if drawing(floors) != (open(PICTURE).read() if os.path.exists(PICTURE) else ""):
        faults.append("docs/layers.svg is not what floors.txt says; Tests/Layering/layers.py draw")
    for fault in sorted(set(faults)):
        print(fault)
    if faults:
        sys.exit(1)
    uses = len({(file, definitions.get(symbol)) for file, _, symbol, _, is_definition in occurrences if not is_definition})
    print(f"layers: {len({file for file, *_ in occurrences})} files, {uses} uses between them, all one way")


def drawing(floors):
    """The floors as a picture: a column for each module, those that use it to its right."""
    depth = {}
    for module, uses in floors.uses.items():
        depth[module] = 1 + max((depth[used] for used in uses), default=-1)
    columns = defaultdict(list)
    for module in floors.uses:
        columns[depth[module]].append(module)
    row, width, gap, left, top = 22, 190, 90, 20, 20
    boxes, lines = {}, []
    height = 0
    for column, modules in sorted(columns.items()):
        y = top
        for module in modules:
            rows = 1 + len(floors.folders.get(module, []))
            boxes[module] = (left + column * (width + gap), y, rows * row + 8)
            y += rows * row + 8 + 24
        height = max(height, y)
    total = left * 2 + len(columns) * width + (len(columns) - 1) * gap
    lines.append(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {height}" font-family="sans-serif" font-size="13">')
    lines.append("<title>Modules and their folders: each uses what is below it, and the modules that its arrows lead to</title>")
    lines.append(
        '<defs><marker id="tip" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto">'
        '<path d="M0,0 L9,4 L0,8 z" fill="#555"/></marker></defs>')
    lines.append(f'<rect width="{total}" height="{height}" fill="#fff"/>')
    for module, uses in floors.uses.items():
        x, y, tall = boxes[module]
        for index, used in enumerate(uses):
            to_x, to_y, to_tall = boxes[used]
            from_y = y + 15 + 7 * index
            lines.append(
                f'<path d="M{x},{from_y} C{x - gap // 2},{from_y} {to_x + width + gap // 2},{to_y + 15} '
                f'{to_x + width},{to_y + 15}" fill="none" stroke="#555" marker-end="url(#tip)"/>')
    for module, (x, y, tall) in boxes.items():
        lines.append(f'<rect x="{x}" y="{y}" width="{width}" height="{tall}" rx="4" fill="#eef3f8" stroke="#345"/>')
        lines.append(f'<text x="{x + 10}" y="{y + 19}" font-weight="bold">{html.escape(module)}</text>')
        for index, folder in enumerate(reversed(floors.folders.get(module, []))):
            name = "(the module's folder)" if folder == "." else folder
            lines.append(f'<text x="{x + 22}" y="{y + 19 + row * (index + 1)}">{html.escape(name)}</text>')
    lines.append("</svg>")
    return "\n".join(lines) + "\n"


def main(arguments):
    floors = Floors(os.path.join(HERE, "floors.txt"))
    if arguments == ["draw"]:
        with open(PICTURE, "w") as file:
            file.write(drawing(floors))
    elif len(arguments) == 2 and arguments[0] == "check":
        check(floors, arguments[1])
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
