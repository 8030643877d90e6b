#!/usr/bin/env python3
"""run.py READER CHECKPOINT SPARSE_CHECKPOINT: makes the hostile files and has READER open each, which must end in one clear error."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def main():
    reader, checkpoint, sparse = sys.argv[1:4]
    failures = []
    with tempfile.TemporaryDirectory(prefix="tradewind-hostile-") as name:
        folder = Path(name)
        subprocess.run([sys.executable, HERE / "make_hostile.py", checkpoint, folder], check=True)
        subprocess.run([sys.executable, HERE / "make_sparse.py", sparse, folder], check=True)
        expected = json.loads((folder / "expected.json").read_text())
        expected.update(json.loads((folder / "expected-sparse.json").read_text()))
        for file, says in expected.items():
            done = subprocess.run([reader, folder / file], stderr=subprocess.PIPE, text=True, errors="replace")
            code = 0 if says is None else 2
            if done.returncode != code:
                failures.append(f"{file}: exit code {done.returncode} instead of {code}: {done.stderr[:400]}")
            elif says is not None and says.lower() not in done.stderr.lower():
                failures.append(f"{file}: the error does not say '{says}': {done.stderr[:400]}")
            elif done.stderr.count("error: ") > 1 or len(done.stderr) > 2000:
                failures.append(f"{file}: not one clear error: {done.stderr[:400]}")
            if list(folder.glob("executed*")):
                failures.append(f"{file}: something in it was executed")
                break
    print("\n".join(failures) or f"{len(expected)} files, each as expected")
    sys.exit(bool(failures))


main()
