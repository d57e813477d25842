"""`check` on 10,000 photos: `python benchmarks/audit_scale.py DATA`.

The photos of clothing, sign_digits and brain_mri, and flipped crops of them until there are 10,000. The first
run computes the features; the second, with features cached, is the one whose figures count.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image, ImageOps

from fieldguide.data.dataset import open_dataset

PHOTOS, EDGE = 10_000, 0.1
SETS = ("clothing", "sign_digits", "brain_mri")


def main() -> None:
    """Lay out the photos, check them twice."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _laid_out(Path(sys.argv[1]), folder / "photos")
        for run in ("features computed", "features cached"):
            command = [sys.executable, "-m", "fieldguide", "check", str(folder / "photos")]
            environment = {**os.environ, "FIELDGUIDE_CACHE": str(folder / "cache")}
            begun = time.monotonic()
            # 1 is what `check` ends with where it found something
            done = subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL).returncode
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            print(f"{run}: {time.monotonic() - begun:.1f} s, {peak:.0f} MB, exit code {done}", flush=True)


def _laid_out(data: Path, folder: Path) -> None:
    found: list[tuple[str, str]] = []
    for name in SETS:
        with open_dataset(data / name, minimum_classes=1) as dataset:
            found += [
                (path, f"{name} {label}") for path, label in zip(dataset.paths, dataset.labels, strict=True)
            ]
    for number in range(PHOTOS):
        path, label = found[number % len(found)]
        target = folder / label / f"{number}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        if number < len(found):
            target.symlink_to(Path(path).resolve())
            continue
        with Image.open(path) as image:
            crop = ImageOps.mirror(image.convert("RGB"))
            width, height = crop.size
            crop.crop((int(width * EDGE), int(height * EDGE), width, height)).save(target, quality=90)


main()
