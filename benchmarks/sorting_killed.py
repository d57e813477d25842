"""`predict --sort-into` and `--write-tags` of tags, killed with -9 at random moments and gone on with.

    python benchmarks/sorting_killed.py [--photos 10000] [--kills 10] [--seed 0] [--ways move sidecars]

The photos are small and made, in two folders with the same names, and no two have the same bytes; some have
sidecars. The model is made too: it gives each photo its colours as tags, so that some have several, some none
and some are unknown. Each run is the command itself in a process of its own. After every kill it is seen
that no photo is missing anywhere; at the end, that each lies in the folders of its tags and in no other,
once, with nothing left over; then the sorting is undone in the same way. The exit code is 1 if anything is
not so.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from tiny_model import tiny_tag_model

WAYS = ("copy", "hardlink", "move", "sidecars")
COLOURS = ((230, 20, 200), (10, 12, 250), (128, 128, 128), (3, 20, 3), (240, 250, 20), (20, 240, 10))
"""Two tags, one, unknown, none, two, one."""
PACKET = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="3" xmp:Label="%d"/>
 </rdf:RDF>
</x:xmpmeta>
"""
SMALLEST_WAIT = 0.2
"""Seconds before the first kill; the program needs as long to begin."""


def main():
    """Print a line a way."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=10, help="about so many a run")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    options = parser.parse_args()
    draw = random.Random(options.seed)
    failed = False
    for way in options.ways:
        with tempfile.TemporaryDirectory() as name:
            home = Path(name).resolve()
            write_photos(home, options.photos)
            work = tagged if way == "sidecars" else sorted_and_undone
            begun = time.monotonic()
            faults, kills = work(home, way, options.kills, draw)
        failed |= bool(faults)
        seconds = time.monotonic() - begun
        said = "; ".join(faults) or "every photo in its place, none lost, none twice, nothing left over"
        print(f"{way}: {options.photos:,} photos, {kills}, {seconds:.0f} s: {said}", flush=True)
    return int(failed)


def write_photos(home, count):
    """The model and so many JPEGs: two of each name, none with another's bytes, some with a sidecar."""
    (home / "model.onnx").write_bytes(tiny_tag_model())
    whole = []
    for colour in COLOURS:
        Image.fromarray(np.full((12, 12, 3), colour, dtype=np.uint8)).save(home / "one.jpg", quality=95)
        whole.append((home / "one.jpg").read_bytes())
    (home / "one.jpg").unlink()
    for number in range(count):
        photo = home / "photos" / str(number % 2) / f"p{number // 2:05}.jpg"
        photo.parent.mkdir(parents=True, exist_ok=True)
        # what follows the end of a JPEG is no part of the picture
        photo.write_bytes(whole[number % len(whole)] + b"photo %d" % number)
        if number % 10 == 0:
            Path(f"{photo}.xmp").write_text(PACKET % number, encoding="utf-8")


def sorted_and_undone(home, way, kills, draw):
    """Sort and undo under kills; what is wrong, and how often the runs were killed."""
    photos, target = home / "photos", home / "sorted"
    before = held(photos)
    wanted = expected(home, before)
    command = ["predict", home / "model.onnx", photos, "--sort-into", target, "--by", way]
    plain = home / "unbroken"
    seconds = run(home, [*command[:3], "--sort-into", plain, "--by", "copy"])
    faults = wrong_places(plain, wanted)
    everything = Counter(before.values())

    def is_missing():
        there = set(held(photos).values()) | set(held(target).values())
        return [f"{len(everything.keys() - there)} contents missing"] if everything.keys() - there else []

    sorting, lost = under_kills(home, command, seconds, kills, draw, is_missing)
    faults += lost + wrong_places(target, wanted)
    faults += (
        [] if held(photos) == ({} if way == "move" else before) else ["originals are not as they should be"]
    )
    faults += left_over(target, {"sorted.csv"})
    command = ["undo", target / "sorted.csv"]
    undoing, lost = under_kills(home, command, max(1.0, seconds / 2), kills, draw, is_missing)
    faults += lost
    faults += [] if held(photos) == before else ["undoing did not bring all photos back"]
    faults += [] if not held(target) else [f"{len(held(target))} files stayed after undoing"]
    return faults, f"{sorting} kills while sorting, {undoing} while undoing"


def tagged(home, way, kills, draw):
    """Write sidecars under kills; the same as without."""
    photos, plain = home / "photos", home / "unbroken"
    before = {path: digest for path, digest in held(photos).items() if path.endswith(".jpg")}
    for path in (home / "photos").rglob("*"):
        if path.is_file():
            copy = plain / path.relative_to(photos)
            copy.parent.mkdir(parents=True, exist_ok=True)
            # sidecars are written anew; photos are only read, so that one file on the disk is enough
            copy.hardlink_to(path) if path.suffix == ".jpg" else copy.write_bytes(path.read_bytes())
    seconds = run(home, ["predict", home / "model.onnx", plain, "--write-tags"])
    command = ["predict", home / "model.onnx", photos, "--write-tags"]
    done, faults = under_kills(home, command, seconds, kills, draw, list)
    faults += [] if held(photos) == held(plain) else ["sidecars are not those of a run without kills"]
    now = {path: digest for path, digest in held(photos).items() if path.endswith(".jpg")}
    faults += [] if now == before else ["photos were changed"]
    faults += left_over(photos, set())
    return faults, f"{done} kills"


def under_kills(home, command, seconds, kills, draw, is_missing):
    """Start a command again and again, each time killed at a moment by chance, until it comes to its end.

    The times given grow, so that it ends however little a run gets done.
    """
    # Less than an unbroken run takes, so that the first runs are surely killed.
    most = max(1.1 * SMALLEST_WAIT, min(SMALLEST_WAIT + 2 * seconds / kills, 0.5 * seconds))
    killed, faults = 0, []
    while True:
        process = start(home, command)
        try:
            code = process.wait(draw.uniform(SMALLEST_WAIT, most))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed, most = killed + 1, most * 1.05
            faults += is_missing()
            continue
        # Killed in its last moment, a run has moved everything, and the next one finds no photo to sort.
        nothing_left = code == 2 and killed and not held(home / "photos")
        faults += [] if code == 0 or nothing_left else [f"exit code {code}"]
        return killed, faults


def run(home, command):
    """Run a command to its end; how many seconds that took."""
    begun = time.monotonic()
    assert start(home, command).wait() == 0, command
    return time.monotonic() - begun


def start(home, command):
    words = [sys.executable, "-m", "fieldguide", *map(str, command)]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(words, cwd=home, **silent)


def held(folder):
    """Place below a folder → SHA-256, of all photos and sidecars."""
    return {
        os.path.relpath(path, folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.suffix in (".jpg", ".xmp") and path.is_file()
    }


def expected(home, before):
    """Content → the folders that it belongs into, by the answers written to a file."""
    run(home, ["predict", home / "model.onnx", home / "photos", "--out", home / "answers.jsonl"])
    folders = {}
    for line in (home / "answers.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        name = os.path.relpath(home / row["path"], home / "photos")
        labels = ["unknown"] if row["unknown"] else row["labels"] or ["untagged"]
        for path in (name, f"{name}.xmp"):
            if path in before:
                folders[before[path]] = sorted(labels)
    assert {len(labels) for labels in folders.values()} == {1, 2}, "some photos have two tags"
    return folders


def wrong_places(target, wanted):
    """What lies elsewhere than it should, or twice, or not at all."""
    found = {}
    for path, digest in held(target).items():
        found.setdefault(digest, []).append(path.partition(os.sep)[0])
    wrong = [digest for digest in wanted | found if sorted(found.get(digest, ())) != wanted.get(digest)]
    return (
        [f"{len(wrong)} of {len(wanted)} files in {target.name} are not where they belong"] if wrong else []
    )


def left_over(folder, allowed):
    """Files that are neither photos nor sidecars, such as half of one."""
    others = [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".jpg", ".xmp") and path.name not in allowed
    ]
    return [f"left over: {', '.join(sorted(others)[:3])}"] if others else []


if __name__ == "__main__":
    sys.exit(main())
