"""What a reader of a form gives: which images are named, with what, and what was left out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from fieldguide.data.plausibility.doubts import Doubt
from fieldguide.errors import Refusal
from fieldguide.tasks.tags import Tags
from fieldguide.tasks.task import Task


class Box(NamedTuple):
    """A box on a photo."""

    left: float
    top: float
    right: float
    bottom: float
    width: float = 0.0
    """Width of the photo that these numbers are of, 1 where they are shares; 0 where it is not known."""
    height: float = 0.0
    """Its height."""


@dataclass(frozen=True, slots=True)
class Record:
    """One image as the form names it; what the form does not say is empty.

    Examples
    --------
    >>> Record(3, "upload/a.jpg", "cat").label
    'cat'
    """

    number: int
    """Its place in the form, from 1: the row, the task, the entry."""
    name: str
    """The image's path as it stands in the form, from :attr:`Records.root` if it is not absolute."""
    label: str = ""
    """Its class, exactly as given."""
    split: str = ""
    """Its split, as the form spells it."""
    group: str = ""
    """What it belongs to: a patient, a camera, a sequence."""
    box: Box | None = None
    """The part of the image that is meant; None for all of it."""
    tags: Tags | None = None
    """Any number of labels, where the form is read so; `label` is then empty."""


@dataclass
class Records:
    """The images that one or several files of a form name, in their order."""

    said: str
    """What was understood, for a person: "Label Studio export, 1,204 tasks, 1,190 with one choice"."""
    root: Path
    """The folder that names count from, which none may leave."""
    records: list[Record] = field(default_factory=list)
    """The images."""
    has_labels: bool = True
    """Whether the form has labels; without, images can be predicted, not learned from."""
    has_splits: bool = False
    """Whether the form has splits; a record whose split is none is then refused."""
    has_groups: bool = False
    """Whether the form has groups."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Why entries were left out on purpose ("cancelled by the annotator") → how many."""
    refused: list[Refusal] = field(default_factory=list)
    """Entries that could not be understood."""
    classes: tuple[str, ...] = ()
    """Classes that the form declares, with or without photos; empty where it declares none."""
    notes: list[str] = field(default_factory=list)
    """Sentences on what looks odd."""
    doubts: list[Doubt] = field(default_factory=list)
    """What may have been meant in another way."""
    task: Task = Task.SINGLE
    """What the form itself says: one label an image, or any number of tags."""
    tagged: list[Record] = field(default_factory=list)
    """The images with all their labels as `tags`, where the form may have several: what `records` would be if
    tags were wanted."""
    left_out_as_single: Counter[str] = field(default_factory=Counter)
    """The part of `left_out` that is among `tagged`."""

    def leave_out_as_single(self, record: Record, tags: Tags, reason: str) -> None:
        """Leave out an image for its number of labels; as tags it counts."""
        self.tagged.append(replace(record, label="", tags=tags))
        self.left_out[reason] += 1
        self.left_out_as_single[reason] += 1

    def keep(self, record: Record, not_known: Iterable[str] = ()) -> None:
        """Keep an image that has one label, among the tagged ones as well."""
        self.records.append(record)
        self.tagged.append(replace(record, label="", tags=Tags.of([record.label], not_known)))


def joined(parts: Sequence[Records]) -> Records:
    """Several files of a form as one, such as one a split.

    Examples
    --------
    >>> both = [Records("a", Path("."), [Record(1, "a.jpg")]), Records("b", Path("."), [Record(1, "b.jpg")])]
    >>> joined(both).said, len(joined(both).records)
    ('a; b', 2)
    """
    whole = Records("; ".join(dict.fromkeys(part.said for part in parts)), parts[0].root)
    whole.has_splits = any(part.has_splits for part in parts)
    whole.has_groups = any(part.has_groups for part in parts)
    whole.has_labels = all(part.has_labels for part in parts)
    whole.classes = tuple(dict.fromkeys(name for part in parts for name in part.classes))
    for part in parts:
        whole.records.extend(part.records)
        whole.refused.extend(part.refused)
        whole.notes.extend(note for note in part.notes if note not in whole.notes)
        whole.doubts.extend(part.doubts)
        whole.left_out.update(part.left_out)
        whole.tagged.extend(part.tagged)
        whole.left_out_as_single.update(part.left_out_as_single)
    if any(part.task is Task.MULTIPLE for part in parts):
        whole.task = Task.MULTIPLE
    return whole


def majority(labels: Sequence[str]) -> str | None:
    """The label that most of several annotators gave; None where they tie or none gave one.

    Examples
    --------
    >>> majority(["cat", "dog", "cat"]), majority(["cat", "dog"])
    ('cat', None)
    """
    counts = Counter(labels).most_common(2)
    if not counts or (len(counts) == 2 and counts[0][1] == counts[1][1]):
        return None
    return counts[0][0]
