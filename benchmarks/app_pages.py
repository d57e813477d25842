"""The app in Chromium: from a photo's upload to its answer, and from a click on a page's name to the page.

    python benchmarks/app_pages.py MODEL DATA/SET

Each page and one photo are opened once before, so that what is loaded once is there. A page counts as there
when its heading is and the script behind it has ended. Browser and app share the machine's cores.
"""

import argparse
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from fieldguide.data.dataset import open_dataset

PAGES = {
    "Data": "Photos to learn from",
    "Train": "Train a model",
    "Results": "How good is it really?",
    "Models": "Models",
    "Teach by camera": "Teach by camera",
    "Classify": "What is on the photo?",
}
"""Name in the sidebar and heading of each page."""


def main() -> None:
    """Print one line for each page, and one for the answers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path, help="photos to ask about")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--photos", type=int, default=20)
    options = parser.parse_args()
    with open_dataset(options.data) as dataset:
        photos = dataset.paths[:: max(1, len(dataset.paths) // options.photos)][: options.photos]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(options.model, folder)
        with _app(Path(folder)) as address, _browser(address) as page:
            for name, seconds in _changes(page, options.runs).items():
                print(json.dumps({"page": name, **_told(seconds)}), flush=True)
            print(json.dumps({"answer": len(photos) - 1, **_told(_answers(page, photos))}), flush=True)


def _told(seconds: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(seconds), 2), "most": round(max(seconds), 2)}


@contextmanager
def _app(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "fieldguide", "app", str(folder), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=5).close()
                break
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def _browser(address: str) -> Iterator[Page]:
    with sync_playwright() as engine:
        chromium = shutil.which("chromium")
        browser = engine.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(60_000)
        page.goto(address)
        page.get_by_role("heading", name=PAGES["Classify"]).wait_for()
        yield page
        browser.close()


def _changes(page: Page, runs: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in PAGES}
    for run in range(runs + 1):
        for name, heading in PAGES.items():
            started = time.perf_counter()
            page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
            page.get_by_role("heading", name=heading, exact=True).wait_for()
            page.locator('[data-test-script-state="notRunning"]').first.wait_for()
            if run:
                found[name].append(time.perf_counter() - started)
    return found


def _answers(page: Page, photos: tuple[str, ...]) -> list[float]:
    """Each photo on a page that was opened anew, the first one not counted."""
    seconds = []
    for photo in photos:
        page.reload()
        page.get_by_role("heading", name=PAGES["Classify"]).wait_for()
        page.locator('[data-test-script-state="notRunning"]').first.wait_for()
        started = time.perf_counter()
        page.locator("input[type=file]").first.set_input_files(photo)
        page.locator(".fg-verdict").wait_for()
        seconds.append(time.perf_counter() - started)
    return seconds[1:]


if __name__ == "__main__":
    main()
