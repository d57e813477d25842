"""An exported page in a real Chromium with a fake camera, watched while it is open."""

import base64
import contextlib
from dataclasses import dataclass, field

import pytest

from browser import ARGUMENTS, executable

PATIENCE = 120_000
"""Milliseconds that a busy machine may take."""
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


@dataclass
class Seen:
    """What a page said, and what it asked for from elsewhere."""

    said: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


@contextlib.contextmanager
def browser(*more):
    """Chromium, which finds no host but this one, with `more` arguments; skips the test without it."""
    playwright, found = executable()
    with playwright.sync_playwright() as engine:
        try:
            started = engine.chromium.launch(executable_path=found, args=[*ARGUMENTS, *CAMERA, ALONE, *more])
        except playwright.Error as error:
            pytest.skip(f"no Chromium: {error.message.splitlines()[0]}; apt install chromium")
        yield started
        started.close()


@contextlib.contextmanager
def opened(chromium, address, **options):
    """A page with its model; in the end it must have said nothing, and asked for nothing elsewhere."""
    context = chromium.new_context(permissions=["camera"], **options)
    context.set_default_timeout(PATIENCE)
    page, seen = context.new_page(), Seen()
    page.on("console", lambda message: seen.said.append(message.text))
    page.on("pageerror", lambda error: seen.said.append(str(error)))
    page.on("dialog", lambda dialog: (seen.said.append(f"dialog {dialog.message}"), dialog.dismiss()))
    context.on("request", lambda request: seen.elsewhere.append(request.url))
    page.goto(address)
    page.wait_for_selector("html[data-ready]", state="attached")
    try:
        yield page
        assert seen.said == []
        inside = (address, f"blob:{address}")
        assert [url for url in seen.elsewhere if not url.startswith(inside)] == []
    finally:
        context.close()


def text_of(data):
    return base64.b64encode(data).decode()
