"""Seconds that `fieldguide dataset NAME` takes: `python benchmarks/writing_named_set.py fashion-mnist`.

The originals must be on this machine already (docs/datasets.md says from where): no download counts.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Write the set once as class folders, count the files."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name, "out")
        begun = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "fieldguide", "dataset", sys.argv[1], "--out", str(out)], check=True
        )
        seconds = time.monotonic() - begun
        count = sum(1 for path in out.rglob("*") if path.is_file())
        print(f"{sys.argv[1]}: {count:,} files in {seconds:.0f} s")


main()
