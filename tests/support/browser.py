"""A real Chromium for tests of pages: what it complains of, and what it asks the network for."""

import contextlib
import shutil
from dataclasses import dataclass, field

import pytest

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


@dataclass
class Watched:
    """A page that is watched while it is open."""

    page: object
    complaints: list[str] = field(default_factory=list)
    """Console messages, errors of scripts, dialogs, violations of the page's own policy."""
    requests: list[str] = field(default_factory=list)
    """Addresses asked for, but for the page itself and what lies in it."""


def executable():
    """Where Chromium is: of the system, or Playwright's own; skips the test without it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return playwright, found


@contextlib.contextmanager
def watched(path, width=1400):
    """Open a file in Chromium, until the page says that it is ready."""
    playwright, found = executable()
    with playwright.sync_playwright() as engine:
        try:
            browser = engine.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        except playwright.Error as error:
            pytest.skip(f"no Chromium: {error.message.splitlines()[0]}; apt install chromium")
        page = browser.new_page(viewport={"width": width, "height": 900})
        seen = Watched(page)
        page.on("console", lambda message: seen.complaints.append(message.text))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on(
            "dialog", lambda dialog: (seen.complaints.append(f"dialog {dialog.message}"), dialog.dismiss())
        )
        page.on("request", lambda request: _note(seen, request.url, path))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached", timeout=60_000)
        yield seen
        browser.close()


def _note(seen, url, path):
    if not url.startswith(("data:", "blob:")) and url != path.as_uri():
        seen.requests.append(url)
