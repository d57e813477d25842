"""Names that strangers gave, and numbers, in the words that the pages use."""

import html
import re

from fieldguide.commands.terminal import escaped

MOST_LETTERS = 80
"""Longer names are cut where they would break a page; tables and downloads have them whole."""
MOST_SENTENCE = 1_000
_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~:$<>&^\"'=])")


def short(text: str, most: int = MOST_LETTERS) -> str:
    """A name of bearable length, with control and bidirectional characters spelled out."""
    shown = escaped(text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def short_path(path: str, most: int = MOST_LETTERS) -> str:
    """A path of bearable length: cut at its beginning, since its end is what tells it from others."""
    shown = escaped(path)
    return shown if len(shown) <= most else "…" + shown[1 - most :]


def plain(text: str, most: int = MOST_LETTERS) -> str:
    """A name for a place that reads Markdown, shown as it is."""
    return _MARKS.sub(r"\\\1", short(text, most))


def sentence(text: str) -> str:
    """What went wrong, for a box that reads Markdown: one sentence, beginning as sentences do."""
    words = text.removeprefix("fieldguide train: ")
    first = words[:1] if words.startswith(("/", ".")) else words[:1].upper()
    return plain(first + words[1:], MOST_SENTENCE)


def escaped_lines(text: str) -> str:
    """Several lines of a log, with control and bidirectional characters spelled out."""
    return "\n".join(escaped(line) for line in text.splitlines())


def html_text(text: str) -> str:
    """A name for a place that reads HTML, shown as it is."""
    return html.escape(short(text))


def percent(share: float) -> str:
    """A share as people say it; what is nearly certain is not called certain."""
    if share >= 0.995 and share < 1:
        return "over 99 %"
    if 0 < share < 0.01:
        return "under 1 %"
    return f"{share:.0%}".replace("%", " %")


def span(seconds: float) -> str:
    """A length of time."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def counted(number: int, word: str, more: str | None = None) -> str:
    """``1 photo``, ``2 photos``."""
    return f"{number:,} {word if number == 1 else more or word + 's'}"
