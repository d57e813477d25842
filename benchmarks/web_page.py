"""An exported page in a real Chromium: seconds to the first answer, pictures a second live, bytes to send.

    pip install '.[train]' playwright            # and Chromium: apt install chromium
    fieldguide export model.onnx --to web --out page
    python benchmarks/web_page.py page PHOTOS [--runs 5] [--live 10]

Each first visit has a browser of its own, with nothing kept; a start without a network follows in the same
one, with a new page. Seconds are from the address being opened to the label of a photo being on the page,
the photo given at once; and from a photo given to a page that says that it is ready. Bytes are those of the
files that a page asks for, packed with gzip -9 as hosts do.

On a shared machine, look at the processor time beside the seconds (of all processes of the browser, its start
left out; Linux only).
"""

import argparse
import contextlib
import functools
import gzip
import http.server
import json
import os
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
)  # fmt: skip


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words: Any) -> None:
        """Say nothing."""


def main() -> None:
    """Print lines of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("page", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--live", type=float, default=10, help="seconds of the camera")
    options = parser.parse_args()
    photo = next(
        path for path in sorted(options.photos.rglob("*")) if path.suffix.lower() in (".jpg", ".png")
    )
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(_Quiet, directory=str(options.page))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    with sync_playwright() as engine:
        for run in range(options.runs):
            print(json.dumps(_run(engine, address, photo, options.live if run == 0 else 0)), flush=True)
    print(json.dumps(_sizes(options.page)))


def _run(engine: Any, address: str, photo: Path, live: float) -> dict[str, Any]:
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as profile:
        context = engine.chromium.launch_persistent_context(
            profile, executable_path=shutil.which("chromium"), args=list(ARGUMENTS), permissions=["camera"]
        )
        context.set_default_timeout(120_000)
        page = context.new_page()
        worked = _processor_seconds()
        first = _answered(page, address, photo)
        worked = _processor_seconds() - worked
        page.wait_for_selector("html[data-offline]", state="attached")
        row: dict[str, Any] = {"load": round(before, 1)}
        row |= {"first_visit_seconds": round(first, 2), "first_visit_processor": round(worked, 2)}
        page.close()
        context.set_offline(True)
        time.sleep(5)  # a later start: the first page's compiler has come to rest
        page = context.new_page()
        worked = _processor_seconds()
        row["offline_start_seconds"] = round(_answered(page, address, photo), 2)
        row["offline_start_processor"] = round(_processor_seconds() - worked, 2)
        page.close()
        page = context.new_page()
        row["ready_then_photo_seconds"] = round(_ready_then_answered(page, address, photo), 2)
        row["next_photo_milliseconds"] = _next_answers(page, photo)
        if live:
            row["live_pictures_a_second"] = _live(page, live)
        context.close()
    return row


def _answered(page: Page, address: str, photo: Path) -> float:
    begun = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.set_input_files("#choose", photo)
    page.locator("article .headline").wait_for()
    return time.perf_counter() - begun


def _ready_then_answered(page: Page, address: str, photo: Path) -> float:
    page.goto(address)
    page.wait_for_selector("html[data-ready]", state="attached")
    time.sleep(2)  # nobody finds a photo faster
    begun = time.perf_counter()
    page.set_input_files("#choose", photo)
    page.locator("article .headline").wait_for()
    return time.perf_counter() - begun


def _next_answers(page: Page, photo: Path) -> float:
    seconds = []
    for _ in range(10):
        page.click("#clear")
        page.set_input_files("#choose", photo)
        page.locator("article .headline").wait_for()
        said = page.inner_text("#status")
        seconds.append(float(said.removeprefix("Answered in ").removesuffix(" ms.")))
    return statistics.median(seconds)


def _live(page: Page, seconds: float) -> float:
    page.click("#camera")
    time.sleep(seconds)
    return round(float(page.get_attribute("#speed", "data-rate") or "nan"), 1)


def _processor_seconds() -> float:
    """Of all processes that this one has started, and those have started."""
    parents, ticks = {}, {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = status.read_text().rpartition(")")[2].split()
            number = int(status.parent.name)
            parents[number], ticks[number] = int(fields[1]), int(fields[11]) + int(fields[12])
    own = {os.getpid()}
    while found := {number for number, parent in parents.items() if parent in own} - own:
        own |= found
    return sum(ticks[number] for number in own - {os.getpid()}) / os.sysconf("SC_CLK_TCK")


def _sizes(folder: Path) -> dict[str, Any]:
    text = (folder / "service-worker.js").read_text()
    names = json.loads(text[text.index("[") : text.index("];") + 1])[1:]
    packed = {name: len(gzip.compress((folder / name).read_bytes(), 9)) for name in names}
    return {"gzip_bytes": sum(packed.values()), "files": packed}


if __name__ == "__main__":
    main()
