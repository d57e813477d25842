"""``fieldguide serve``: models behind HTTP, until Ctrl-C or SIGTERM; the log goes to standard error."""

import argparse
import logging
import os
import signal
import sys
from pathlib import Path

from fieldguide.commands import terminal
from fieldguide.commands.shared.options import INTERRUPTED, count, positive_number
from fieldguide.errors import OptionError

NAME = "serve"
HELP = "answer requests over HTTP"

TOKEN = "FIELDGUIDE_TOKEN"
"""Name of the environment variable that may hold the token."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare MODEL..., where to listen, who may come, and the limits."""
    parser.add_argument(
        "models", nargs="+", metavar="MODEL", help="model files; NAME=FILE to choose the name in addresses"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=port, default=8000, help="port, 0 for a free one (default: 8000)")
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help=f"a file that holds the token; or set {TOKEN}"
    )
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="a name that clients may use for it"
    )
    parser.add_argument("--queue", type=count, metavar="N", help="images that may wait; beyond is 503")
    parser.add_argument(
        "--batch", type=count, metavar="N", help="images in the network together (default: 2)"
    )
    parser.add_argument("--threads", type=count, metavar="N", help="for decoding and network (default: all)")
    parser.add_argument("--deadline", type=positive_number, metavar="SECONDS", help="for an answer")
    parser.add_argument("--max-body", type=count, metavar="BYTES", help="of one request (default: 32000000)")


def run(options: argparse.Namespace) -> int:
    """Serve."""
    from fieldguide.server.logs import JsonLines
    from fieldguide.server.models import named
    from fieldguide.server.run import serve
    from fieldguide.server.settings import Settings

    chosen = {
        "queue": options.queue,
        "batch": options.batch,
        "threads": options.threads,
        "deadline": options.deadline,
        "body_bytes": options.max_body,
    }
    given = {name: value for name, value in chosen.items() if value is not None}
    if options.queue is not None:
        given["images"] = min(options.queue, Settings.images)
    settings = Settings(hosts=tuple(options.allow_host), token=token(options.token_file), **given)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])

    def say_address(host: str, port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        terminal.show(f"http://{shown}:{port}")
        sys.stdout.flush()

    ended_by = serve(named(options.models), settings, options.host, options.port, started=say_address)
    return INTERRUPTED if ended_by == signal.SIGINT else 0


def port(text: str) -> int:
    """A port number, 0 to 65535."""
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to 65535; got {text!r}")
    return int(text)


def token(place: Path | None) -> str | None:
    """The token from a file, or from the environment; None where neither is given."""
    if place is None:
        return os.environ.get(TOKEN) or None
    try:
        return place.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not ASCII text"
        raise OptionError(f"--token-file {place}: cannot be read ({reason}); check the path") from error
