"""Keywords that photographers write into their photos, or beside them: XMP's ``dc:subject`` and IPTC's 2:25.

XMP specification part 1 (ISO 16684-1), Dublin Core namespace; IPTC-IIM 4.2, dataset 2:25. What is no image is
judged when it is decoded; here it only has no keywords.
"""

import os
import warnings
import xml.etree.ElementTree
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image, IptcImagePlugin

from fieldguide.data.forms.records import Record, Records
from fieldguide.data.forms.source import DataSource
from fieldguide.data.options import KEYWORDS
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError
from fieldguide.tasks.tags import Tags
from fieldguide.tasks.task import Task

TITLE = "keywords in the photos (XMP, IPTC): --label-from keywords, or --label-from keywords:cat,dog"

_SUBJECT = "{http://purl.org/dc/elements/1.1/}subject"
_ITEM = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"
_IPTC_KEYWORDS = (2, 25)
_SAMPLE = 20
_MOST_BYTES = 4 << 20
SEVERAL = "several keywords in a photo are tags (--task multiple reads them)"


def recognise(source: DataSource) -> Sequence[Path]:
    """The folder, if a person says so or most of its first photos have keywords."""
    if source.file is not None or not source.scan.images:
        return []
    if source.options.keywords is not None:
        return [source.base]
    first = source.scan.images[:_SAMPLE]
    return [source.base] if 2 * sum(bool(keywords_of(path)) for path in first) > len(first) else []


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The one keyword of each photo, of those that a person chose or of all.

    Raises
    ------
    DataError
        If no photo has just one.
    """
    chosen = source.options.keywords or ()
    records = Records("", source.base, classes=chosen)
    for number, path in enumerate(source.scan.images, start=1):
        found = [word for word in keywords_of(path) if not chosen or word in chosen]
        record = Record(number, os.path.relpath(path, source.base))
        if len(found) == 1:
            records.keep(replace(record, label=found[0]))
        elif found or chosen:
            none = "none of the chosen keywords"
            records.leave_out_as_single(record, Tags.of(found), SEVERAL if found else none)
        else:
            records.left_out["no keywords in the photo"] += 1
    if not records.records and source.options.task is not Task.MULTIPLE:
        counts = ", ".join(f"{count} with {why}" for why, count in records.left_out.items())
        raise DataError(
            f"{source.path}: photos must have one keyword each, got none that has ({counts}); choose those "
            f"that are classes with --label-from {KEYWORDS}:cat,dog"
        )
    labels = len({record.label for record in records.records})
    records.said = (
        f"keywords in the photos: {count_of(len(records.records), 'photo')} with one of "
        f"{count_of(labels, 'keyword')}"
    )
    return records


def keywords_of(path: str) -> list[str]:
    """The keywords in a photo's header and in a sidecar file of its name, each once."""
    packets, words = [_sidecar(path)], []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a huge or odd image, only the header is read
            with Image.open(path) as image:
                packets.append(image.info.get("xmp", b""))
                iptc: Any = IptcImagePlugin.getiptcinfo(image) or {}
        values = iptc.get(_IPTC_KEYWORDS, [])
        words = [
            value for value in (values if isinstance(values, list) else [values]) if isinstance(value, bytes)
        ]
    except (OSError, ValueError, SyntaxError, KeyError, IndexError, TypeError, Image.DecompressionBombError):
        pass
    from_iptc = [word.decode("utf-8", errors="replace").strip(" \0") for word in words]
    found = [word for packet in packets for word in _subjects(packet)] + from_iptc
    return list(dict.fromkeys(word for word in found if word))


def _sidecar(path: str) -> bytes:
    for file in (Path(path).with_suffix(".xmp"), Path(f"{path}.xmp")):
        try:
            if file.stat().st_size <= _MOST_BYTES:
                return file.read_bytes()
        except OSError:
            continue
    return b""


def _subjects(packet: bytes | str) -> list[str]:
    content = packet.encode() if isinstance(packet, str) else packet
    if not content or len(content) > _MOST_BYTES or b"<!ENTITY" in content:
        return []
    try:
        root = xml.etree.ElementTree.fromstring(content.strip(b"\0 \n"))
    except (xml.etree.ElementTree.ParseError, ValueError):
        return []
    return [(item.text or "").strip() for subject in root.iter(_SUBJECT) for item in subject.iter(_ITEM)]
