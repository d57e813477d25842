"""Sorts photos in processes that are killed again and again, until one comes to its end; as a program:

    python sorting_killed.py HOME copy|hardlink|move|far|undo SEED MOST

HOME holds `photos`, they go to `sorted`. A process is killed at an operation on files drawn by chance, of the
MOST next ones. After each kill no content may be missing anywhere. `far` moves as to another disk.
"""

import errno
import hashlib
import os
import random
import sys
from pathlib import Path

from fieldguide.prediction.inputs import find_inputs
from fieldguide.prediction.result import Prediction, refused
from fieldguide.prediction.sorting import placing
from fieldguide.prediction.sorting.sort import sort_photos
from fieldguide.prediction.sorting.undo import undo_sort

CLASSES = ("cat", "dog", "a/b")
KILLED = 9


class ByName:
    """Answers with the number in a photo's name, so that every run answers the same."""

    digest = "f" * 64
    classes = CLASSES

    def predict_stream(self, sources, *, top=5):
        for source in sources:
            name = getattr(source, "name", source)
            number = int("".join(filter(str.isdigit, Path(name).stem)) or 0)
            if "bad" in name:
                yield refused(name, "truncated", "the file ends too early")
            else:
                label = CLASSES[number % len(CLASSES)]
                yield Prediction(name, label, 0.9, 0.5, number % 7 == 0, (label,), ((label, 0.9),))


def write_photos(home, count):
    """So many files in two folders, two of each name, some with a sidecar: no two hold the same."""
    for number in range(count):
        photo = home / "photos" / str(number % 2) / f"{'bad' if number % 50 == 49 else 'p'}{number // 2}.jpg"
        photo.parent.mkdir(parents=True, exist_ok=True)
        photo.write_bytes(b"photo %d" % number)
        if number % 10 == 0:
            Path(f"{photo}.xmp").write_bytes(b"sidecar %d" % number)


def contents(folder):
    """SHA-256 of every file below a folder that is a photo or a sidecar, sorted."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix in (".jpg", ".xmp")]
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)


def work(home, what):
    """One whole run."""
    if what == "undo":
        for table in sorted((home / "sorted").glob("sorted*.csv")):
            undo_sort(table)
        return
    by = "move" if what == "far" else what
    if what == "far":
        pretend_another_disk()
    sort_photos(ByName(), lambda: find_inputs([home / "photos"]), home / "sorted", by=by)


def pretend_another_disk():
    link, rename = os.link, placing._renamed

    def far_link(source, target, **options):
        if Path(source).parent.parent == Path(target).parent.parent or Path(source).suffix == ".copy":
            return link(source, target, **options)
        raise OSError(errno.EXDEV, "another disk")

    def far_rename(source, target):
        if source.suffix == ".copy":
            return rename(source, target)
        raise OSError(errno.EXDEV, "another disk")

    os.link, placing._renamed = far_link, far_rename


def run_until_killed(home, what, left):
    """In a child: end at the operation on files with that number. Whether it came to its end before."""
    child = os.fork()
    if child == 0:

        def count(event, _arguments):
            nonlocal left
            if event.startswith(("os.", "open", "shutil.")) and event != "os.listdir":
                left -= 1
                if left == 0:
                    os._exit(KILLED)

        sys.addaudithook(count)
        work(home, what)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, KILLED), code
    return code == 0


def main():
    home, what, seed, most = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    draw = random.Random(seed)
    photos = contents(home) if what != "undo" else sorted(set(contents(home)))
    kills = 0
    while not run_until_killed(home, what, draw.randrange(1, most)):
        kills += 1
        assert set(contents(home)) == set(photos), f"lost after kill {kills}"
        most += most // 10  # so that it ends, however slowly it goes on
    sys.stdout.write(f"{kills}\n")


if __name__ == "__main__":
    main()
