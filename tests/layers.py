#!/usr/bin/env python3
"""Holds every #include of our own headers against the list of layers in docs/architecture.md.

    tests/layers.py [--print]

The list is the block that begins with ```layers there: for each folder the folders whose headers it includes. Fails on an
edge that the list does not have, on one that nothing needs any more, and on a cycle, among the folders of tests too. --print
writes the edges that there are. The libraries of the CMakeLists.txt are held against the same: one for each folder, of the folder's own sources, which
links those of all folders that it includes, and whose libraries link none that is above them.
"""
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
CALL = re.compile(r"\b(tradewind_library|add_executable|add_library|target_sources|target_link_libraries)\(([^()]*)\)")
NO_LIBRARY = {"worker/cuda", "worker/drill", "worker/netcdf/plugin"}  # what is built of them stands alone: a plug-in, a program
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def edges_of_sources(tops=("common", "proto", "launcher", "worker")):
    """{folder: {other folder: an example "file:line"}}"""
    edges = defaultdict(dict)
    for top in tops:
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix not in (".h", ".cpp", ".cu"):
                continue
            folder = path.parent.relative_to(ROOT).as_posix()
            edges[folder]
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                header = match.group(1)
                if not (ROOT / header).is_file():
                    sys.exit(f"layers: {path.relative_to(ROOT)}:{number}: no file {header} from the root of the project; "
                             "remedy: give the whole path")
                other = Path(header).parent.as_posix()
                if other != folder:
                    edges[folder].setdefault(other, f"{path.relative_to(ROOT)}:{number}")
    return edges


def listed():
    match = re.search(r"^```layers\n(.*?)^```", PAGE.read_text(), flags=re.M | re.S)
    if not match:
        sys.exit(f"layers: {PAGE.name} has no block ```layers")
    table = {}
    for line in match.group(1).splitlines():
        folder, _, others = line.partition(":")
        if folder.strip() in table:
            sys.exit(f"layers: {PAGE.name} lists {folder.strip()} twice")
        table[folder.strip()] = set(others.split())
    return table


def cycle_in(edges):
    """The folders of a cycle, or nothing."""
    state, path = {}, []

    def visit(folder):
        state[folder] = "open"
        path.append(folder)
        for other in sorted(edges.get(folder, ())):
            if state.get(other) == "open":
                return path[path.index(other):] + [other]
            if other not in state and (found := visit(other)):
                return found
        state[folder] = "done"
        path.pop()
        return None

    for folder in sorted(edges):
        if folder not in state and (found := visit(folder)):
            return found
    return None


def targets():
    """{folder: [(target, is a library, words of its call of CMake)]}, and {target: [targets that it links]}"""
    of_folder, links = defaultdict(list), defaultdict(list)
    for top in ("common", "proto", "launcher", "worker"):
        for path in sorted((ROOT / top).rglob("CMakeLists.txt")):
            folder = path.parent.relative_to(ROOT).as_posix()
            for command, text in CALL.findall(re.sub(r"#.*", "", path.read_text())):
                name, *words = text.split()
                if command != "target_link_libraries":
                    of_folder[folder].append((name, command == "tradewind_library", words))
                links[name] += words
    return of_folder, links


def faults_of_libraries(edges):
    of_folder, links = targets()
    faults = []
    folder_of = {name: folder for folder, made in of_folder.items() for name, is_library, _ in made if is_library}

    def below(name, seen):
        for other in links.get(name, ()):
            if other in folder_of and other not in seen:
                seen.add(other)
                below(other, seen)
        return seen

    for folder in sorted(edges):
        if folder in NO_LIBRARY:
            continue
        sources = {path.name for path in (ROOT / folder).glob("*.cpp")} - {"main.cpp"}
        libraries = sorted({name for name, is_library, _ in of_folder[folder] if is_library})
        if sources and len(libraries) != 1:
            faults.append(f"{folder} has {len(libraries)} libraries instead of one: {', '.join(libraries)}")
        words = {word for made in of_folder[folder] for word in made[2]}
        if any(is_library and "SOURCES" not in made for _, is_library, made in of_folder[folder]):
            words |= sources  # cmake/warnings.cmake takes all
        faults += [f"{folder} builds {word} of another folder" for word in sorted(words)
                   if word.endswith(".cpp") and "/" in word and not word.startswith('"$')]
        faults += [f"{folder}/{name} belongs to no library" for name in sorted(sources - words)]
        closures = {name: below(name, set()) for name, *_ in of_folder[folder]}
        linked = {folder_of[other] for closure in closures.values() for other in closure}
        faults += [f"{place}: {folder} includes {other}, whose library it does not link"
                   for other, place in sorted(edges[folder].items())
                   if other in folder_of.values() and other not in linked]
        faults += [f"{name} links itself through others" for name, closure in closures.items() if name in closure]
    return faults


def main():
    found = edges_of_sources()
    if sys.argv[1:] == ["--print"]:
        for folder in sorted(found):
            print(f"{folder}: {' '.join(sorted(found[folder]))}".rstrip())
        return 0
    allowed = listed()
    faults = []
    for folder in sorted(found):
        if folder not in allowed:
            faults.append(f"the folder {folder} is not in the list")
        for other, place in sorted(found[folder].items()):
            if other not in allowed.get(folder, set()):
                faults.append(f"{place}: {folder} includes {other}, which the list does not have")
    for folder, others in sorted(allowed.items()):
        faults += [f"{folder} -> {other} is listed, and nothing needs it" for other in sorted(others)
                   if other not in found.get(folder, {})]
    for each in (found, edges_of_sources(("tests",))):
        if cycle := cycle_in(each):
            faults.append("a cycle: " + " -> ".join(cycle))
    faults += faults_of_libraries(found)
    for fault in faults:
        print(f"layers: {fault}")
    if faults:
        print("  remedy: let the edge point down, or change the list in docs/architecture.md and say why there")
        return 1
    print(f"layers: {sum(map(len, found.values()))} edges between {len(found)} folders as listed, and so the libraries; no cycle")
    return 0


if __name__ == "__main__":
    sys.exit(main())
