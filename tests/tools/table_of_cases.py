#!/usr/bin/env python3
"""ctest -V -L golden | table_of_cases.py: a table of the golden cases, how far each is from the reference at each number
of ranks, or why it was skipped. The unit is the case's tolerance (of reduced precisions: theirs); above 1 is
what the packing of both files explains, else the case has failed. Exit code 1 when one has."""
import re
import sys

START = re.compile(r"^\s*Start\s+(\d+): (golden\.\S+)\.w(\d+)$")
OUTPUT = re.compile(r"^(\d+): (.*)$")
RESULT = re.compile(r"^\s*\d+/\d+ Test\s+#(\d+): \S+ \.*\s*(\**\w+)")
DIFFERENCE = re.compile(r"largest difference (\S+) of the field's")
LIMIT = re.compile(r"^-- \S+: at most (\S+)$")
CALL = re.compile(r"^\S+: \d+ variables, worst \S+: (\S+) \(at most (\S+)\)$")


class Test:
    def __init__(self, name, ranks):
        self.name, self.ranks, self.parts, self.last, self.reason = name, int(ranks), [], None, ""

    def read(self, line):
        if found := DIFFERENCE.search(line):
            self.last = float(found[1])
        elif (found := LIMIT.match(line)) and self.last is not None:
            self.parts.append(self.last / float(found[1]))
        elif found := CALL.match(line):
            self.parts.append(float(found[1]) / float(found[2]))
        elif line.startswith(("-- skipped: ", "FAILED: ")):
            self.reason = line.split(": ", 1)[1]

    def text(self):
        return self.reason or (f"{max(self.parts):.3f}" if self.parts else "passed")


def main():
    tests, done = {}, {}
    for line in map(str.rstrip, sys.stdin):
        if found := START.match(line):
            tests[found[1]] = Test(found[2].removeprefix("golden."), found[3])
        elif (found := OUTPUT.match(line)) and found[1] in tests:
            tests[found[1]].read(found[2])
        elif (found := RESULT.match(line)) and found[1] in tests:
            test = tests[found[1]]
            passed = found[2] in ("Passed", "***Skipped")
            done.setdefault(test.name, {})[test.ranks] = test.text() if passed else "FAILED " + test.reason
    if not done:
        sys.exit("no golden test in what came in: give it the output of ctest -V -L golden")
    ranks = sorted({rank for row in done.values() for rank in row})
    wide = max(map(len, done))
    print(f"{'case':{wide}} " + "".join(f"{f'{rank} rank' + ('s' if rank > 1 else ''):>9}" for rank in ranks))
    for name, row in sorted(done.items()):
        print(f"{name:{wide}} " + "".join(f"{row.get(rank, '-'):>9}" for rank in ranks))
    cells = [cell for row in done.values() for cell in row.values()]
    failed = sum(cell.startswith("FAILED") for cell in cells)
    print(f"{len(done)} cases, {len(cells)} runs, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
