"""Names that strangers gave, as text that can only be read.

File names and class names may hold control, escape and bidirectional characters, and bytes that are no text.
What is shown to a person, on a terminal or a page, has them spelled out; what goes into a table can neither
be computed by a spreadsheet nor break a line.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

SHOWN_AS_ESCAPES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that a terminal or a browser might obey instead of show."""

_FORMULA = re.compile("[-=+@＝＋－＠]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
# A spreadsheet that separates by semicolons would begin a new cell inside this one.
_SPLIT_FORMULA = re.compile(r";[\s\"']*[=+\-@]")
_SPELLED = frozenset({"Cc", "Cs", "Zl", "Zp"})


def escaped(text: str) -> str:
    r"""Spell out characters that would be obeyed (``\x1b``, ``\u202e``) and bytes that are no text.

    Examples
    --------
    >>> escaped("photo\x1b[2J.jpg")
    'photo\\x1b[2J.jpg'
    """
    if text.isascii() and text.isprintable():  # nearly always, and fifty times as fast
        return text
    return "".join(
        _spelled(char) if unicodedata.category(char) in SHOWN_AS_ESCAPES else char for char in text
    )


def shortened(text: str, most: int = 60) -> str:
    """The beginning of a text for a sentence, with its length where that is cut.

    Examples
    --------
    >>> shortened("cat"), shortened("x" * 70_000, most=5)
    ('cat', 'xxxxx… (70,000 characters)')
    """
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def _spelled(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # how Python holds a byte of a file name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


def cell_of(text: str, *, formulas: bool = True) -> str:
    r"""Text as a cell: what a spreadsheet would compute becomes text, what cannot be printed is spelled out.

    An apostrophe at the beginning is always the work of this function. It stands before ``= + - @`` and
    apostrophe, unless the whole is a number; and before text with control characters (tab, line breaks …) or
    bytes that are no UTF-8, which is then written as JSON in double quotes: ``'"bad\udcff\n.jpg"``.
    :func:`text_of_cell` is the way back.

    Parameters
    ----------
    text
        Any string, surrogates of :func:`os.fsdecode` included.
    formulas
        Whether formulas are a danger where the cell goes.

    Examples
    --------
    >>> cell_of("=HYPERLINK(1)"), cell_of("-3.5"), cell_of("cat")
    ("'=HYPERLINK(1)", '-3.5', 'cat')
    >>> print(cell_of("two\nlines"))
    '"two\nlines"
    """
    if any(unicodedata.category(letter) in _SPELLED for letter in text):
        return "'" + json.dumps(text)
    if formulas and _SPLIT_FORMULA.search(text):
        return "'" + json.dumps(text, ensure_ascii=False).replace(";", "\\u003b")
    dangerous = formulas and _FORMULA.match(text) and not _NUMBER.fullmatch(text)
    return "'" + text if dangerous or text.startswith("'") else text


def text_of_cell(cell: str) -> str:
    r"""The exact text of a cell that :func:`cell_of` made; `os.fsencode` gives the bytes of a path.

    Examples
    --------
    >>> text_of_cell("'=1+1"), text_of_cell("cat")
    ('=1+1', 'cat')
    >>> text_of_cell(cell_of("'quoted\tname")) == "'quoted\tname"
    True
    """
    if not cell.startswith("'"):
        return cell
    text = cell[1:]
    return str(json.loads(text)) if text.startswith('"') else text


def csv_line(cells: Iterable[Any]) -> bytes:
    r"""Cells as one line of CSV: every text in quotes, numbers as they are, nothing for None.

    Examples
    --------
    >>> csv_line(["a.jpg", 0.5, 7, None, True])
    b'"a.jpg",0.5,7,,true\n'
    """
    return ",".join(map(_csv_cell, cells)).encode("utf-8") + b"\n"


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return '"' + str(value).replace('"', '""') + '"'
