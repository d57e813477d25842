"""Events of the server as JSON, one line each, that no name in a request can break or colour."""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

LOGGER = logging.getLogger("fieldguide.server")
MOST_CHARACTERS = 2_000
"""Of one text in an event; a longer one is cut."""


class JsonLines(logging.Formatter):
    """Formats any record, of this package or of a library, as one line of ASCII JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": moment, "level": record.levelname.lower()}
        fields = getattr(record, "fields", None)
        if fields is None:
            line |= {"event": "library", "logger": record.name, "message": _cut(record.getMessage())}
        else:
            line |= {"event": record.getMessage(), **{name: _cut(value) for name, value in fields.items()}}
        if record.exc_info and record.exc_info[0] is not None:
            line["traceback"] = "".join(traceback.format_exception(*record.exc_info))[-10_000:]
        # JSON leaves one control character as it is: delete.
        return json.dumps(line, default=str).replace("\x7f", "\\u007f")


def event(name: str, level: int = logging.INFO, *, exc_info: bool = False, **fields: Any) -> None:
    """Log one event.

    Parameters
    ----------
    name
        A constant of the source, such as ``request``.
    level
        As in `logging`.
    exc_info
        Whether to add the exception that is being handled, with its traceback.
    fields
        What is known of it; texts may come from anywhere.
    """
    LOGGER.log(level, name, exc_info=exc_info, extra={"fields": fields})


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        return value[:MOST_CHARACTERS] + "…"
    return value
