"""A model's labels into the sidecars of many photos; the photos themselves are only read."""

import os
import stat
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from fieldguide.errors import OptionError, OutputError, Refusal
from fieldguide.files import atomic_write
from fieldguide.prediction.inputs import EmbeddedImage, Inputs, Item
from fieldguide.prediction.labels_given import labels_given
from fieldguide.prediction.result import Prediction
from fieldguide.prediction.sorting.folder_names import UNKNOWN
from fieldguide.prediction.sorting.placing import ENDS_THE_RUN
from fieldguide.prediction.sorting.planning import sidecars_of
from fieldguide.prediction.tagging.xmp import MOST_BYTES, NotXmp, with_keywords
from fieldguide.progress import Progress, silent


class JudgesInOrder(Protocol):
    """What is needed of a model: a stream of answers in input order."""

    def predict_stream(self, sources: Iterable[Item], *, top: int = 5) -> Iterator[Prediction]:
        """One answer a source, in order."""


@dataclass
class TagResult:
    """What became of the sidecars."""

    counts: Counter[str] = field(default_factory=Counter)
    """Photos by what became of their sidecar: `new`, `changed`, `unchanged`, `none` (no label, so none)."""
    left: list[Refusal] = field(default_factory=list)
    """Sidecars that were left as they are, and photos that could not be read, with reasons."""
    notes: list[str] = field(default_factory=list)
    """Sentences for a person."""

    def as_dict(self) -> dict[str, Any]:
        """The counts, and what was left."""
        return {"counts": dict(self.counts), "left": [one.as_dict() for one in self.left]}


def write_tags(
    predictor: JudgesInOrder, inputs: Inputs, *, unknown: bool = False, progress: Progress = silent
) -> TagResult:
    """Write the label of each photo into the sidecar beside it; done again, it gives the same files.

    Parameters
    ----------
    predictor
        A loaded model.
    inputs
        What to look at.
    unknown
        Whether photos that the model knows no class for are tagged `unknown`; else they get no tag, and lose
        one that an earlier run gave.
    progress
        Callback for progress: inputs predicted.

    Raises
    ------
    OptionError
        If photos lie in an archive or a table: nothing stands beside those.
    OutputError
        If the disk is full or may not be written. Sidecars written so far are whole; run it again.
    """
    for item in inputs.items:
        if isinstance(item, EmbeddedImage):
            raise OptionError(f"{item.name}: photos in archives and tables have no sidecars; unpack them")
        if isinstance(item, str) and type(item) is not str:
            raise OptionError(f"{item}: photos in an object store have no sidecars; copy them here first")
    result = TagResult(notes=list(inputs.notes))
    progress("tagging", 0, len(inputs))
    for done, prediction in enumerate(predictor.predict_stream(inputs.items, top=1), start=1):
        if prediction.error is not None:
            result.left.append(prediction.error)
        elif prediction.path is not None:
            labels = labels_given(prediction) or ((UNKNOWN,) if unknown and prediction.unknown else ())
            _tag(prediction.path, labels, result)
        progress("tagging", done, len(inputs))
    return result


def sidecar_of(photo: str) -> str:
    """The sidecar of a photo: the one that is there, else `photo.jpg.xmp`.

    Beside a camera raw file an existing `photo.xmp` is taken, as Lightroom writes it.
    """
    return next((name for name, _ in sidecars_of(photo)), f"{photo}.xmp")


def _tag(photo: str, labels: tuple[str, ...], result: TagResult) -> None:
    path = Path(sidecar_of(photo))
    try:
        status = path.lstat() if os.path.lexists(path) else None
        if status is None and not labels:
            result.counts["none"] += 1
            return
        before = None if status is None else _content(path, status)
        after = with_keywords(before, labels)
        if after != before:
            _write(path, after, status)
    except NotXmp as error:
        result.left.append(Refusal(str(path), "sidecar", f"the sidecar was left as it is: {error}"))
    except OSError as error:
        result.left.append(Refusal(str(path), "sidecar", f"cannot be read ({error.strerror})"))
    except OutputError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in ENDS_THE_RUN:
            raise
        result.left.append(Refusal(str(path), "sidecar", "cannot be written; its folder may not be changed"))
    else:
        result.counts["new" if before is None else "changed" if after != before else "unchanged"] += 1


def _content(path: Path, status: os.stat_result) -> bytes:
    if not stat.S_ISREG(status.st_mode):
        raise NotXmp("it is a link or no file")
    if status.st_size > MOST_BYTES:
        raise NotXmp(f"it is larger than {MOST_BYTES >> 20} MB")
    return path.read_bytes()


def _write(path: Path, content: bytes, before: os.stat_result | None) -> None:
    if before is not None and not before.st_mode & stat.S_IWUSR:
        raise NotXmp("it is write-protected")
    with atomic_write(path) as file:
        file.write(content)
        if before is not None:
            if sys.platform != "win32":
                os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
            now = path.lstat()
            if (now.st_mtime_ns, now.st_size, now.st_ino) != (
                before.st_mtime_ns,
                before.st_size,
                before.st_ino,
            ):
                raise NotXmp("another program has just changed it")
