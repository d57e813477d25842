"""Text lists as data sets of research have them: a line an image or a class, cut at white space."""

from collections.abc import Iterator
from pathlib import Path

from fieldguide.data.forms.records import Records
from fieldguide.data.forms.source import content_of
from fieldguide.data.text_encoding import decoded
from fieldguide.errors import Refusal


def lines_of(file: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file with their numbers from 1; empty ones and comments (#) are passed over.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    text, _ = decoded(content_of(file))
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.strip()


def refuse_line(records: Records, file: Path, number: int, line: str, wanted: str) -> None:
    """Count a line that cannot be understood among the refused."""
    records.refused.append(
        Refusal(f"{file}, line {number}", "damaged_row", f"the line must be {wanted}, got {line[:60]!r}")
    )


def pairs(file: Path, records: Records, wanted: str) -> dict[str, str]:
    """First word to the rest of each line; lines of one word, and first words that come again, are refused.

    Parameters
    ----------
    file : Path
        The list.
    records : Records
        Where refused lines are counted.
    wanted : str
        What a line must be, for messages: "image number and class number".
    """
    found: dict[str, str] = {}
    for number, line in lines_of(file):
        key, *rest = line.split(None, 1)
        if not rest or key in found:
            refuse_line(records, file, number, line, f"{wanted}, each once")
        else:
            found[key] = rest[0]
    return found


def beside(file: Path, name: str) -> Path | None:
    """A file of this name in the same folder, if there is one."""
    other = file.with_name(name)
    return other if other.is_file() else None
