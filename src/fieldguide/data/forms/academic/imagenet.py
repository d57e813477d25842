"""ImageNet and Tiny ImageNet: folders of WordNet synsets with a list of their names beside them.

https://www.image-net.org/ ; the lists are words.txt, synset_words.txt, LOC_synset_mapping.txt (Kaggle) and
imagenet_class_index.json (Keras); the validation set's labels stand in LOC_val_solution.csv or
val_annotations.txt.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from fieldguide.data.forms.academic.text_lists import lines_of, refuse_line
from fieldguide.data.forms.records import Record, Records
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.data.split_names import split_of
from fieldguide.errors import DataError

TITLE = "ImageNet: folders n01440764 … with words.txt, synset_words.txt or LOC_synset_mapping.txt beside"

LISTS = ("LOC_synset_mapping.txt", "synset_words.txt", "words.txt", "imagenet_class_index.json")
_ANSWERS = ("LOC_val_solution.csv", "val_annotations.txt")
_SYNSET = re.compile(r"n\d{8}")
_ANSWER = re.compile(r"(?P<image>[^,\s]+)[,\s]+(?P<synset>n\d{8})\b.*")


def recognise(source: DataSource) -> Sequence[Path]:
    """The list of names, where there are folders of synsets; the shortest of several, which is this set's."""
    if source.file is not None:
        return []
    folders = [path for path in source.scan.folders if _SYNSET.fullmatch(os.path.basename(path))]  # noqa: PTH119
    if len(folders) < 2:
        return []
    files = {file.name: file for file in source.files(".txt", ".json")}
    return [files[name] for name in LISTS if name in files][:1]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The name of each image's synset, and of those in one folder what the list of answers says."""
    names = _names(source, files[0])
    records = Records("", source.base)
    answers = _answers(source, records)
    labels = _distinct(names)
    synsets: set[str] = set()
    for number, path in enumerate(source.scan.images, start=1):
        relative = os.path.relpath(path, source.base)
        parts = relative.split(os.sep)  # noqa: PTH206
        synset = next((part for part in reversed(parts[:-1]) if _SYNSET.fullmatch(part)), None)
        synset = synset or answers.get(parts[-1]) or answers.get(parts[-1].rpartition(".")[0])
        split = next(filter(None, map(split_of, parts[:-1])), "")
        if synset is None:
            records.left_out["in no folder of a synset, and in no list of answers"] += 1
        else:
            synsets.add(synset)
            records.records.append(Record(number, relative, labels.get(synset, synset), split))
    splits = {record.split for record in records.records}
    records.has_splits = "" not in splits and "train" in splits and len(splits) > 1
    unnamed = len(synsets - names.keys())
    if unnamed:
        records.notes.append(
            f"{count_of(unnamed, 'synset')} without a name in {files[0].name}; kept as numbered"
        )
    records.said = (
        f"ImageNet's folders: {count_of(len(records.records), 'image')} of "
        f"{count_of(len(synsets), 'synset')}, named by {files[0].name!r}"
    )
    return records


def _names(source: DataSource, file: Path) -> dict[str, str]:
    if file.suffix == ".json":
        value = source.json(file)
        if not isinstance(value, dict):
            raise DataError(f"{file}: it must be an object of number to synset and name, got another")
        pairs: Iterator[object] = iter(value.values())
    else:
        pairs = (line.split(None, 1) for _, line in lines_of(file))
    return {
        str(pair[0]): str(pair[1]).strip()
        for pair in pairs
        if isinstance(pair, list) and len(pair) == 2 and _SYNSET.fullmatch(str(pair[0]))
    }


def _distinct(names: dict[str, str]) -> dict[str, str]:
    """Names that several synsets share get the synset behind them, as the two cranes do."""
    counts = Counter(names.values())
    return {synset: name if counts[name] == 1 else f"{name} ({synset})" for synset, name in names.items()}


def _answers(source: DataSource, records: Records) -> dict[str, str]:
    """Image of the validation set, with or without ending, to its synset."""
    found: dict[str, str] = {}
    for file in source.files(".txt", ".csv"):
        if file.name not in _ANSWERS:
            continue
        for number, line in lines_of(file):
            answer = _ANSWER.fullmatch(line)
            if answer is not None:
                found[answer["image"]] = answer["synset"]
            elif number > 1:  # the first line of Kaggle's names the columns
                refuse_line(records, file, number, line, "image and synset")
    return found
