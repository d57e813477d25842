"""Cells of a table as text: what may stand in one, and what is refused in a sentence that stays short."""

from typing import Any

from fieldguide.data.text_encoding import as_code_page, has_odd_bytes
from fieldguide.errors import DataError
from fieldguide.plain_text import shortened


def text_of(cell: Any) -> str:
    """A cell as text; nothing, and a number that is none (as pandas writes an empty cell), are empty.

    Raises
    ------
    ValueError
        If it is a list, an object or bytes, which are no text; the message says what it is.

    Examples
    --------
    >>> text_of("cat"), text_of(3), text_of(None), text_of(float("nan"))
    ('cat', '3', '', '')
    >>> text_of(["a", "b"])
    Traceback (most recent call last):
        ...
    ValueError: a list (['a', 'b'])
    """
    if cell is None or (isinstance(cell, float) and cell != cell):
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bytes):
        raise ValueError(f"bytes ({len(cell):,} of them)")
    if isinstance(cell, list | tuple | dict):
        kind = "an object" if isinstance(cell, dict) else "a list"
        raise ValueError(f"{kind} ({shown(cell)})")
    return str(cell)


def shown(cell: Any) -> str:
    """A cell as an error may show it: a few dozen characters, whatever it holds.

    Examples
    --------
    >>> shown({"bytes": b"0" * 500_000, "path": "a.jpg"})
    "{'bytes': 500,000 bytes, 'path': 'a.jpg'}"
    """
    return shortened(_shown(cell, depth=2))


def word_of(cell: Any, where: str, what: str) -> str:
    r"""A label, split or group as text that strict UTF-8 can hold, wherever the table came from.

    Parameters
    ----------
    cell
        As the table holds it.
    where
        Table and row, for errors.
    what
        The column's meaning, for errors.

    Raises
    ------
    DataError
        If it is no text or number, or in a code page that is not read.

    Examples
    --------
    >>> word_of("H\udcfcte", "hats.csv, row 1", "label")
    'Hüte'
    """
    try:
        text = text_of(cell)
    except ValueError as error:
        raise DataError(
            f"{where}: a {what} must be text or a number, got {error}; give one {what} a row, or "
            "say --task multiple if they are tags"
        ) from None
    if not has_odd_bytes(text):
        return text
    plain = as_code_page(text)
    if plain is None:
        raise DataError(
            f"{where}: the {what} {shortened(text)!r} must be UTF-8, and is in a code page that the "
            "file does "
            'not name; save the table as UTF-8 (in Excel: "CSV UTF-8")'
        )
    return plain


def _shown(cell: Any, depth: int) -> str:
    if isinstance(cell, bytes):
        return f"{len(cell):,} bytes"
    if isinstance(cell, dict) and depth:
        inner = (f"{key!r}: {_shown(value, depth - 1)}" for key, value in list(cell.items())[:5])
        return f"{{{', '.join(inner)}{', …' if len(cell) > 5 else ''}}}"
    if isinstance(cell, list | tuple) and depth:
        inner = (_shown(value, depth - 1) for value in cell[:5])
        return f"[{', '.join(inner)}{', …' if len(cell) > 5 else ''}]"
    return (
        "…" if isinstance(cell, dict | list | tuple) else repr(cell[:200] if isinstance(cell, str) else cell)
    )
