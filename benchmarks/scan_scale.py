"""A folder of a million images and one of five: seconds and memory of `open_dataset`.

    python benchmarks/scan_scale.py [FILES]

The files are empty, made in a temporary folder and removed; `table_scale.py` does the same for tables.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path


def measure(folder: Path) -> None:
    """Open the folder and say what it took."""
    from fieldguide.data.dataset import open_dataset

    begun = time.perf_counter()
    with open_dataset(folder) as dataset:
        seconds = time.perf_counter() - begun
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{len(dataset):,} files in {seconds:.1f} s, {memory:.0f} MiB at most")


def main() -> None:
    """Make the files, open them in a process of its own, remove them."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        for label, count in (("many", files), ("few", 5)):
            folder = Path(name, label)
            folder.mkdir()
            for number in range(count):
                (folder / f"{number:07}.jpg").touch()
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(Path(name),))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(process.exitcode)


if __name__ == "__main__":
    main()
