"""What a report of many predictions costs: `python benchmarks/report_scale.py 50000 1000`.

The model's answers are made up and cost nothing, so that what is timed is what `--report` adds: keeping what
the page shows, drawing it, and writing it. The photos are one photo of 640 x 480 under many names.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from fieldguide.data.dataset import Dataset
from fieldguide.report.assembly import write_report
from fieldguide.report.gather import Asked, gather
from report_oracle import oracle


def main(images: int, classes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        photo, truth = Path(folder, "photo.jpg"), np.arange(images) % classes
        Image.effect_noise((640, 480), 60).convert("RGB").save(photo)
        paths = [str(Path(folder, f"{number}.jpg")) for number in range(images)]
        for path in paths:
            Path(path).symlink_to(photo)
        names = tuple(f"class {number}" for number in range(classes))
        model = oracle(names, truth[: max(classes, 2000)])
        data = Dataset(Path(folder), tuple(paths), tuple(names[number] for number in truth))
        begun, cpu = time.monotonic(), time.process_time()
        material = gather(model, data, Asked(Path("model.onnx"), Path("photos")))
        gathered, gathered_cpu = time.monotonic() - begun, time.process_time() - cpu
        out = Path(folder, "report.html")
        write_report(material, out)
        whole, whole_cpu = time.monotonic() - begun, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{images} predictions, {classes} classes: page of {out.stat().st_size / 1e6:.2f} MB")
        print(f"gathered in {gathered:.1f} s, {gathered_cpu:.1f} s of CPU")
        print(f"gathered and written in {whole:.1f} s, {whole_cpu:.1f} s of CPU")
        print(f"peak memory {peak:.0f} MB")


main(int(sys.argv[1]), int(sys.argv[2]))
