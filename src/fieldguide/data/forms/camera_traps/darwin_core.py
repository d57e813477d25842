"""Darwin Core archives, as GBIF gives them: occurrences with names, and their multimedia.

https://dwc.tdwg.org/text/ ; ``meta.xml`` says which column of which file is what.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from fieldguide.data.forms.camera_traps.tables import one_label
from fieldguide.data.forms.records import Record, Records
from fieldguide.data.forms.source import DataSource, content_of, xml_root
from fieldguide.data.scan import count_of
from fieldguide.data.text_encoding import decoded
from fieldguide.errors import DataError, Refusal

TITLE = "Darwin Core archive: meta.xml, occurrence.txt with scientificName, multimedia.txt"

DESCRIPTOR = "meta.xml"
_LABEL, _NAME, _KIND = "scientificName", "identifier", "type"
_GROUPS = ("parentEventID", "id")
"""A deployment, else the occurrence itself: the photos of one animal stay together."""
_ESCAPES = {"\\t": "\t", "\\n": "\n", "\\r\\n": "\r\n"}


@dataclass(frozen=True)
class _Table:
    """A file of the archive as its descriptor describes it."""

    file: Path
    delimiter: str
    quote: str
    skipped: int
    columns: dict[str, int]
    """Last part of a term, and `id`, to the place of its column."""

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Rows with their numbers from 1, the header not counted."""
        text, _ = decoded(content_of(self.file))
        lines = io.StringIO(text, newline="")
        if self.quote:
            reader = csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote)
        else:
            reader = csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        try:
            for number, row in enumerate(reader, start=1 - self.skipped):
                if number > 0 and row:
                    yield (
                        number,
                        {term: row[at].strip() if at < len(row) else "" for term, at in self.columns.items()},
                    )
        except csv.Error as error:
            said = f"{self.file}: line {reader.line_num} cannot be read ({error}); get the archive again"
            raise DataError(said) from error


def recognise(source: DataSource) -> Sequence[Path]:
    """The descriptor of an archive whose core are occurrences and that has multimedia."""
    return [
        file for file in source.files(DESCRIPTOR) if file.name == DESCRIPTOR and _tables(file) is not None
    ][:1]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The scientific name of each photo's occurrence; addresses are named, not fetched.

    Raises
    ------
    DataError
        If a file cannot be read, or the occurrences have no scientific names.
    """
    tables = _tables(files[0])
    if tables is None:
        raise DataError(
            f"{files[0]}: it must describe occurrences and multimedia, got others; see docs/data.md"
        )
    core, media = tables
    if _LABEL not in core.columns:
        raise DataError(f"{core.file}: it must have the column {_LABEL}, got none; choose it when exporting")
    records = Records("", source.base, has_groups=True)
    names: dict[str, str] = {}
    groups: dict[str, str] = {}
    for number, row in core.rows():
        if row["id"]:
            names[row["id"]] = row[_LABEL]
            groups[row["id"]] = next((row[term] for term in _GROUPS if row.get(term)), "")
        else:
            records.refused.append(
                Refusal(f"{core.file}, row {number}", "damaged_row", "it has no identifier")
            )
    _take_media(source, media, records, (names, groups))
    photos, occurrences = count_of(len(records.records), "photo"), count_of(len(names), "occurrence")
    records.said = f"Darwin Core archive: {photos} of {occurrences}"
    return records


def _take_media(
    source: DataSource, media: _Table, records: Records, known: tuple[dict[str, str], dict[str, str]]
) -> None:
    names, groups = known
    seen: dict[str, list[str]] = {}
    places: dict[str, tuple[int, str]] = {}
    for number, row in media.rows():
        if row.get(_KIND, "") not in ("", "StillImage", "Image", "image"):
            records.left_out["no still images"] += 1
        elif not row[_NAME] or row["id"] not in names:
            said = f"it must name a file and an occurrence of the archive, got {row['id'][:40]!r}"
            records.refused.append(Refusal(f"{media.file}, row {number}", "damaged_row", said))
        else:
            seen.setdefault(row[_NAME], []).append(names[row["id"]])
            places.setdefault(row[_NAME], (number, row["id"]))
    per_occurrence: dict[str, int] = {}
    for _, identifier in places.values():
        per_occurrence[identifier] = per_occurrence.get(identifier, 0) + 1
    for name, labels in seen.items():
        number, identifier = places[name]
        label = one_label(labels, records)
        if label is None:
            continue
        alone = per_occurrence[identifier] == 1 and "://" in name and source.exists(media.file, identifier)
        here = identifier if alone else name  # who fetched them called each as its occurrence
        records.records.append(
            Record(number, source.name_in(media.file, here), label, "", groups[identifier])
        )


def _tables(file: Path) -> tuple[_Table, _Table] | None:
    """Occurrences and multimedia; None if it is no such archive."""
    try:
        root = xml_root(file)
    except DataError:
        return None
    parts = {
        _last(part.get("rowType", "")): part for part in root if _last(part.tag) in ("core", "extension")
    }
    core, media = parts.get("Occurrence"), parts.get("Multimedia")
    if core is None or media is None or _last(core.tag) != "core":
        return None
    tables = _table(file, core), _table(file, media)
    return (tables[0], tables[1]) if tables[0] and tables[1] and _NAME in tables[1].columns else None


def _last(text: str) -> str:
    return text.replace("}", "/").rpartition("/")[2]


def _table(descriptor: Path, part: Element) -> _Table | None:
    location = next((node.text for node in part.iter() if _last(node.tag) == "location"), None) or ""
    if not location or "/" in location or "\\" in location or location.startswith("."):
        return None
    columns: dict[str, int] = {}
    for node in part:
        kind, at = _last(node.tag), node.get("index", "")
        if at.isdecimal() and len(at) < 5 and kind in ("id", "coreid", "field"):
            columns[_last(node.get("term", "")) if kind == "field" else "id"] = int(at)
    delimiter = part.get("fieldsTerminatedBy", ",")
    delimiter = _ESCAPES.get(delimiter, delimiter)
    quote, skipped = part.get("fieldsEnclosedBy", '"'), part.get("ignoreHeaderLines", "0")
    usable = len(delimiter) == 1 and delimiter not in "\r\n" and len(quote) < 2 and skipped in ("0", "1", "2")
    if not usable or "id" not in columns:
        return None
    return _Table(descriptor.with_name(location), delimiter, quote, int(skipped), columns)
