"""How fast a large page of a report is in Chromium.

    python benchmarks/report_page.py [PREDICTIONS] [CLASSES]

The page is made as `report_scale.py` makes it. Usable is when the page is loaded and its first table answers;
sorting and filtering are timed from the event to the frame after it. Medians of five.
"""

import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from browser import executable
from fieldguide.data.dataset import Dataset
from fieldguide.report.assembly import write_report
from fieldguide.report.gather import Asked, gather
from report_oracle import oracle

RUNS = 5
TO_THE_FRAME = "const end = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));"
SORT = f"""async () => {{ {TO_THE_FRAME}
  const table = [...document.querySelectorAll("table")].sort((a, b) => b.rows.length - a.rows.length)[0];
  const begun = performance.now(); table.querySelector("button.sort").click(); await end();
  return performance.now() - begun; }}"""
FILTER = f"""async () => {{ {TO_THE_FRAME}
  const table = [...document.querySelectorAll("table")].sort((a, b) => b.rows.length - a.rows.length)[0];
  let near = table; while (!near.querySelector("input.filter")) near = near.parentElement;
  const input = near.querySelector("input.filter"), begun = performance.now();
  input.value = "7"; input.dispatchEvent(new Event("input", {{bubbles: true}})); await end();
  return performance.now() - begun; }}"""
LOADED = "() => performance.getEntriesByType('navigation')[0].loadEventEnd"


def main() -> None:
    """Make a page, open it five times, sort and filter its largest table."""
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    classes = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000
    _, found = executable()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as engine:
        page_file = written(Path(folder), images, classes)
        browser = engine.chromium.launch(executable_path=found, args=["--no-sandbox"])
        rows = [measured(browser.new_page, page_file) for _ in range(RUNS)]
        browser.close()
        size = page_file.stat().st_size / 1e6
    usable, sort, filtered = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"{classes:,} classes, page of {size:.1f} MB: usable after {usable / 1000:.2f} s")
    print(f"sorting {sort:.0f} ms, filtering {filtered:.0f} ms")


def measured(new_page: Callable[[], Page], file: Path) -> tuple[float, float, float]:
    """Milliseconds until the page is loaded, of sorting, of filtering."""
    page = new_page()
    page.goto(file.as_uri(), wait_until="load")
    times = tuple(float(page.evaluate(script)) for script in (LOADED, SORT, FILTER))
    page.close()
    return times[0], times[1], times[2]


def written(folder: Path, images: int, classes: int) -> Path:
    """A report of made-up answers."""
    photo, truth = folder / "photo.jpg", np.arange(images) % classes
    Image.effect_noise((640, 480), 60).convert("RGB").save(photo)
    paths = [str(folder / f"{number}.jpg") for number in range(images)]
    for path in paths:
        Path(path).symlink_to(photo)
    names = tuple(f"class {number}" for number in range(classes))
    data = Dataset(folder, tuple(paths), tuple(names[number] for number in truth))
    model = oracle(names, truth[: max(classes, 2000)])
    out = folder / "report.html"
    write_report(gather(model, data, Asked(Path("model.onnx"), Path("photos"))), out)
    return out


main()
