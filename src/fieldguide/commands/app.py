"""``fieldguide app``: the same in a browser, on this machine."""

import argparse
import os
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from fieldguide.commands import terminal
from fieldguide.errors import DataError, FieldguideError
from fieldguide.installation import command_for, program_command

NAME = "app"
HELP = "classify, look at data, train and compare in the browser, on this machine"

UPLOAD_MEGABYTES = 2_000
"""Largest archive that may be uploaded; photos have a limit of their own."""
SETTINGS = {
    "server.address": "127.0.0.1",
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.maxUploadSize": str(UPLOAD_MEGABYTES),
    "browser.serverAddress": "localhost",
    "browser.gatherUsageStats": "false",
    "runner.magicEnabled": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "theme.light.primaryColor": "#1d6b4f",
    "theme.light.secondaryBackgroundColor": "#f1f5f0",
    "theme.dark.primaryColor": "#5fc79a",
    "theme.baseRadius": "medium",
    "theme.headingFontWeights": "600",
    "theme.paddingTop": "1.5rem",
}
"""Of Streamlit: reachable from this machine only, nothing sent anywhere, one look."""
HOSTS = ("localhost", "127.0.0.1")
"""Names by which the app may be called; another one is a web page that tries to reach it (DNS rebinding)."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare DIR and ``--port``."""
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=Path(),
        metavar="DIR",
        help="where model files lie and new ones go (default: this folder)",
    )
    parser.add_argument("--port", type=port, default=8501, metavar="N", help="default: %(default)s")


def port(text: str) -> int:
    """A port that a person's program may open."""
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= 65_535:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 65535; got {text!r}")
    return number


def run(options: argparse.Namespace) -> int:
    """Serve the app until Ctrl-C."""
    folder = options.folder.resolve()
    if not folder.is_dir():
        raise DataError(f"{options.folder}: no such folder; make it, or name the one with your models")
    if not os.access(folder, os.W_OK):
        raise DataError(f"{options.folder}: cannot be written to; the app keeps its models there")
    if find_spec("streamlit") is None:
        raise FieldguideError(f"needs streamlit, which is not installed; run: {command_for('app')}")
    terminal.say(f"models and corrections: {folder}")
    terminal.say(f"open http://localhost:{options.port} in a browser; Ctrl-C ends the app")
    try:
        return subprocess.call(command(folder, options.port))
    except KeyboardInterrupt:  # Streamlit got the same Ctrl-C and has ended
        return 0


def command(folder: Path, number: int) -> list[str]:
    """What runs Streamlit; options on its command line go before any configuration file."""
    script = Path(__file__).parents[1] / "app" / "server.py"
    flags = [f"--{name}={value}" for name, value in (SETTINGS | {"server.port": str(number)}).items()]
    hosts = [f"--server.allowedHosts={host}" for host in HOSTS]
    given = [str(folder), *shlex.split(program_command())]
    return [sys.executable, "-m", "streamlit", "run", str(script), *flags, *hosts, "--", *given]
