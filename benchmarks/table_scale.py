"""A table of a million rows over a million file names: seconds and memory of `open_dataset`.

    python benchmarks/table_scale.py FOLDER [ROWS]

FOLDER is filled with empty .jpg files, 1,000 a folder, if it is missing. Each table is read in its own
process: once with the paths as they are, once with bare names that must be found. Processor
seconds are what an idle machine needs; seconds are what passed on this one.
"""

import csv
import multiprocessing
import resource
import sys
import time
from pathlib import Path

CLASSES, A_FOLDER = 100, 1000


def make(folder: Path, rows: int) -> None:
    """Empty images, and the two tables that list them."""
    names = [Path("images", f"{number // A_FOLDER:04d}", f"photo_{number:07d}.jpg") for number in range(rows)]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    for table, header in (("paths.csv", "path"), ("names.csv", "id")):
        with (folder / table).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([header, "label"])
            writer.writerows(
                (name.as_posix() if header == "path" else name.stem, f"class{number % CLASSES:03d}")
                for number, name in enumerate(names)
            )


def measure(table: Path) -> None:
    """Open one table and say what it took."""
    from fieldguide.data.dataset import open_dataset

    start, processor = time.perf_counter(), time.process_time()
    with open_dataset(table) as dataset:
        seconds, processor = time.perf_counter() - start, time.process_time() - processor
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{table.name}: {len(dataset):,} rows in {seconds:.1f} s "
            f"({processor:.1f} s of processor), {memory:.0f} MiB at most"
        )


def main() -> None:
    """Make the files if they are missing, and measure both tables."""
    folder, rows = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    if not folder.exists():
        make(folder, rows)
    for name in ("paths.csv", "names.csv"):
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(folder / name,))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(process.exitcode)


if __name__ == "__main__":
    main()
