#!/usr/bin/env python3
"""Holds our own sources to their sizes: no file over 400 lines, no function over 60.

    tests/sizes.py [--print]

The lines of a function are those between its braces; a test case is a function, and the rows of a table (`= {...}`) do not
count. Fails on what is over, and on an entry of STILL_OVER that is so no more. --print writes the largest of both.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_FILE_LINES, MOST_FUNCTION_LINES = 400, 60
# What is still over: files, and functions as file:function. Nothing may be added.
STILL_OVER = []

# Comments, texts, characters (no separators of digits) and directives.
BLANK = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^()\s\\]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\''
    r'|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', flags=re.S | re.M)
# What opens a scope in which functions stand.
SCOPE = re.compile(r"(^|\W)(namespace|class|struct|union)\b[^()=]*$|\bextern\s*$")
ATTRIBUTE = re.compile(r"\balignas\([^()]*\)|\[\[[^\]]*\]\]")
# A parameter list, then what may stand between it and a body.
FUNCTION = re.compile(r"\)\s*(const|noexcept|override|final|mutable|try|&|requires[^;]*|->[\w:<>,&*\s]+|\s)*$")
INITIALISERS = re.compile(r"\)\s*(noexcept)?\s*:[^:]")  # of a constructor
NAME = re.compile(r"([\w:~]+|operator\s*[^\s\w(]+)\s*\(")


def blanked(text):
    """Without all that is no code; lines stay where they are."""
    return BLANK.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def end_of_block(text, begin):
    depth = 0
    for at in range(begin, len(text)):
        depth += (text[at] == "{") - (text[at] == "}")
        if depth == 0:
            return at
    raise ValueError("a brace that does not close")


def lines_of(body):
    """Of a body from its first brace to its last, without the rows of tables."""
    lines = body.count("\n") - 1
    at = 0
    while match := re.compile(r"=\s*(?=\{)").search(body, at):
        at = end_of_block(body, match.end())
        lines -= max(0, body.count("\n", match.end(), at) - 1)
    return max(0, lines)


def functions(text):
    """(name, line, lines) of every function with a body that stands in a namespace or a class."""
    text = blanked(text)
    head, at = 0, 0  # where the present declaration begins
    while at < len(text):
        char = text[at]
        declaration = ATTRIBUTE.sub("", text[head:at]).strip() if char == "{" else ""
        if char == "{" and (not declaration or SCOPE.search(declaration)):
            head = at + 1
        elif char == "{":
            end = end_of_block(text, at)
            value = INITIALISERS.search(declaration) and re.search(r"[\w>]$", declaration)  # member{value}
            if not value and (FUNCTION.search(declaration) or INITIALISERS.search(declaration)):
                name = NAME.search(declaration)
                yield name.group(1) if name else "?", text.count("\n", 0, at) + 1, lines_of(text[at:end + 1])
                head = end + 1
            at = end
        elif char in "};":
            head = at + 1
        at += 1


def measure():
    """([(lines, file)], [(lines, file, line, function)])"""
    listed = subprocess.run(["git", "ls-files", "*.cpp", "*.h", "*.cu", ":!cmake/gloo_declarations"], cwd=ROOT,
                            text=True, check=True, capture_output=True).stdout.split()
    files, bodies = [], []
    for name in listed:
        if not (ROOT / name).is_file():
            continue
        text = (ROOT / name).read_text()
        files.append((text.count("\n"), name))
        bodies += [(lines, name, line, function) for function, line, lines in functions(text)]
    return files, bodies


def main():
    files, bodies = measure()
    if sys.argv[1:] == ["--print"]:
        for lines, name in sorted(files, reverse=True)[:20]:
            print(f"{lines:5} {name}")
        for lines, name, line, function in sorted(bodies, reverse=True)[:30]:
            print(f"{lines:5} {name}:{line} {function}")
        return 0
    over, faults = set(), []
    for lines, name in files:
        if lines > MOST_FILE_LINES:
            over.add(name)
            if name not in STILL_OVER:
                faults.append(f"{name}: {lines} lines, {MOST_FILE_LINES} at most")
    for lines, name, line, function in bodies:
        if lines > MOST_FUNCTION_LINES:
            over.add(f"{name}:{function}")
            if f"{name}:{function}" not in STILL_OVER:
                faults.append(f"{name}:{line}: {function} has {lines} lines, {MOST_FUNCTION_LINES} at most")
    faults += [f"{entry} is listed in tests/sizes.py as still over, and is not" for entry in sorted(set(STILL_OVER) - over)]
    for fault in faults:
        print(f"sizes: {fault}")
    if faults:
        print("  remedy: split it by idea; one idea to a file, and one to a function")
        return 1
    print(f"sizes: {len(files)} files and {len(bodies)} functions" + (f", {len(over)} still over" if over else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
