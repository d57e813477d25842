"""iNaturalist's competition sets: images, categories and annotations of one category, a JSON file a split.

https://github.com/visipedia/inat_comp
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fieldguide.data.forms.records import Record, Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.errors import Refusal

TITLE = "iNaturalist competitions: train.json and val.json with images, categories, annotations"

_SPLIT = re.compile(r"(train|val|test)", re.IGNORECASE)
_RANKS = frozenset({"kingdom", "phylum", "image_dir_name", "supercategory"})


def recognise(source: DataSource) -> Sequence[Path]:
    """JSON files whose images have a holder of rights and whose annotations are no boxes."""
    return [file for file, value in source.json_files() if _is_set(value)]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The species of each image; without a name, the category's number."""
    splits = {file: _split(file) for file in files}
    apart = all(splits.values()) and len(set(splits.values())) > 1
    whole = joined([_read_one(source, file, splits[file] if apart else "") for file in files])
    names = ", ".join(file.name for file in files)
    whole.said = (
        f"iNaturalist's {names}: {count_of(len(whole.records), 'image')} of "
        f"{count_of(len({record.label for record in whole.records}), 'category')}"
    )
    return whole


def _split(file: Path) -> str:
    found = _SPLIT.match(file.name)
    return found[1].lower() if found else ""


def _first(value: dict[str, Any], key: str) -> dict[str, Any]:
    entries = value.get(key)
    first = entries[0] if isinstance(entries, list) and entries else {}
    return first if isinstance(first, dict) else {}


def _is_set(value: Any) -> bool:
    if not isinstance(value, dict) or not {"images", "categories", "annotations"} <= value.keys():
        return False
    annotation, category = _first(value, "annotations"), _first(value, "categories")
    plain = "category_id" in annotation and not {"bbox", "segmentation"} & annotation.keys()
    return plain and "rights_holder" in _first(value, "images") and bool(_RANKS & category.keys())


def _list(value: dict[str, Any], key: str) -> list[Any]:
    entries = value[key]
    return entries if isinstance(entries, list) else []


def _read_one(source: DataSource, file: Path, split: str) -> Records:
    value = source.json(file)
    names = {
        entry["id"]: str(entry.get("name") or entry["id"])
        for entry in _list(value, "categories")
        if isinstance(entry, dict) and isinstance(entry.get("id"), int | str)
    }
    records = Records("", source.base, has_splits=bool(split), classes=tuple(names.values()))
    labels: dict[Any, list[str | None]] = {}
    for number, entry in enumerate(_list(value, "annotations"), start=1):
        image, category = (
            (entry.get("image_id"), entry.get("category_id")) if isinstance(entry, dict) else ("", "")
        )
        if not isinstance(image, int | str) or not isinstance(category, int | str) or category not in names:
            said = f"it must name an image and one of {len(names)} categories, got {str(entry)[:60]!r}"
            records.refused.append(Refusal(f"{file}, annotation {number}", "damaged_row", said))
        else:
            labels.setdefault(image, []).append(names[category])
    for number, entry in enumerate(_list(value, "images"), start=1):
        _take(source, file, records, (number, entry, labels), split)
    return records


def _take(
    source: DataSource,
    file: Path,
    records: Records,
    numbered: tuple[int, Any, dict[Any, list[str | None]]],
    split: str,
) -> None:
    number, entry, labels = numbered
    name = entry.get("file_name") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not isinstance(entry.get("id"), int | str):
        said = f"the image must have a file_name and an id, got {str(entry)[:60]!r}"
        records.refused.append(Refusal(f"{file}, image {number}", "damaged_row", said))
        return
    found = dict.fromkeys(labels.get(entry["id"], []))
    if len(found) != 1:
        why = "several categories of an image are tags, which are not learned" if found else "no annotation"
        records.left_out[why] += 1
    else:
        records.records.append(Record(number, source.name_in(file, name), next(iter(found)) or "", split))
