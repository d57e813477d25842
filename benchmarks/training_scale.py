"""`train --preset fast` on 50,000 and 100,000 images: seconds and peak memory of the whole command.

    python benchmarks/training_scale.py DATA/cifar10_train.zip [--mirrored]

Without `--mirrored` it is CIFAR-10's own ten classes. With it, every image comes twice, once mirrored, in
1,000 classes without meaning, and the command runs twice: the second time with features cached.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from PIL import Image, ImageOps

CLASSES = 1_000


def main() -> None:
    """Lay out the images, train, say what it took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("archive", type=Path)
    parser.add_argument("--mirrored", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = _mirrored(options.archive, folder / "images") if options.mirrored else options.archive
        for run in ("empty cache", "features cached")[: 1 + options.mirrored]:
            print(f"{run}: {_trained(data, folder)}", flush=True)


def _mirrored(archive: Path, folder: Path) -> Path:
    """Each image and its mirror image, dealt out to classes by number."""
    for number in range(CLASSES):
        (folder / f"class{number:03}").mkdir(parents=True)
    with zipfile.ZipFile(archive) as opened:
        names = sorted(name for name in opened.namelist() if name.lower().endswith((".jpg", ".jpeg", ".png")))
        for number, name in enumerate(names):
            with opened.open(name) as file, Image.open(file) as image:
                image.load()
                for turn, picture in enumerate((image, ImageOps.mirror(image))):
                    place = 2 * number + turn
                    picture.save(folder / f"class{place % CLASSES:03}" / f"{place}.jpg", quality=95)
    return folder


def _trained(data: Path, folder: Path) -> str:
    command = [sys.executable, "-m", "fieldguide", "train", str(data), "--preset", "fast"]
    environment = {**os.environ, "FIELDGUIDE_CACHE": str(folder / "cache")}
    begun = time.monotonic()
    subprocess.run(
        [*command, "--out", str(folder / "model.onnx")],
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    return f"{time.monotonic() - begun:.0f} s, {peak:.2f} GB at most"


main()
