"""An exported file beside the model it came from: whether both give the same answers to the same photos.

The export is run as its user runs it, never by what wrote it. A page is given whole photos, since it resizes
by itself; both sides then see the same photo, decoded at its full size.
"""

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fieldguide.errors import DataError, OptionError, Refusal, RefusedInput
from fieldguide.evaluation.export_runners import RUNNERS, ExportPhoto, timed
from fieldguide.evaluation.micro_interpreter import arena_bytes, memory_sentence
from fieldguide.images.decoding import open_image
from fieldguide.modelfile.exports.litert import MICRO
from fieldguide.prediction.predictor import BATCH, Outputs, Predictor, judged, load
from fieldguide.prediction.result import Prediction
from fieldguide.progress import Progress, silent
from fieldguide.threads import in_order, usable_cores

if TYPE_CHECKING:
    from fieldguide.data.dataset import Dataset

AHEAD = 16
"""Photos that are decoded ahead."""
WHOLE_AHEAD = 2
"""The same where they are held whole."""


@dataclass(frozen=True)
class ExportLimits:
    """How far an export may be from its model."""

    same_label: float
    """Least share of photos with the same label."""
    probability: float
    """Largest difference of a probability."""


LIMITS = {
    "core": ExportLimits(1.0, 1e-4),
    "int8": ExportLimits(0.98, 0.25),
    "litert": ExportLimits(1.0, 1e-3),
    "litert-float16": ExportLimits(0.99, 0.05),
    "litert-int8": ExportLimits(0.95, 0.35),
    "litert-micro": ExportLimits(0.95, 0.5),
    "web": ExportLimits(1.0, 1e-4),
}
"""By form. A core is the same numbers, and so is a page; in LiteRT they are added in another order. Smaller
weights move answers, also in a page, and with weights of 8 bits LiteRT rounds what lies between layers as
well."""


WITH_ACTIVATIONS = ExportLimits(0.95, 0.75)
"""Of `int8` made with photos: what passes between layers is rounded, too."""


@dataclass(frozen=True)
class ExportCheck:
    """What came of running both."""

    form: str
    n: int
    """Photos that both answered."""
    same_label: float
    """Share of them with the same label."""
    max_probability_difference: float
    """Of any class and photo."""
    max_typicality_difference: float
    same_set: float
    """Share with the same prediction set."""
    size_bytes: int
    """Of the exported file."""
    speed_ratio: float
    """Seconds of the model over those of the export, photos decoded before; above 1 the export is faster."""
    refused: tuple[Refusal, ...]
    """Photos that could not be read."""
    limits: ExportLimits
    arena_bytes: int | None = None
    """For TensorFlow Lite Micro: the memory beside the file, as this machine's 64 bits need it."""

    @property
    def within(self) -> bool:
        """Whether the export stays within the limits of its form."""
        return (
            self.same_label >= self.limits.same_label
            and self.max_probability_difference <= self.limits.probability
        )

    def as_dict(self) -> dict[str, Any]:
        """The contract's ``export --check --json``, with `within`, `limits` and `refused` added."""
        return {
            "to": self.form,
            "n": self.n,
            "same_label": self.same_label,
            "max_probability_difference": self.max_probability_difference,
            "max_typicality_difference": self.max_typicality_difference,
            "same_set": self.same_set,
            "size_bytes": self.size_bytes,
            "speed_ratio": self.speed_ratio,
            "within": self.within,
            "limits": vars(self.limits),
            **({} if self.arena_bytes is None else {"arena_bytes": self.arena_bytes}),
            "refused": [refusal.as_dict() for refusal in self.refused],
        }


def check_export(
    model: Path, exported: Path, form: str, dataset: "Dataset", progress: Progress = silent
) -> ExportCheck:
    """Run a model and what was exported from it on the same photos.

    Parameters
    ----------
    model, exported
        Their files.
    form
        A key of :data:`LIMITS`.
    dataset
        Photos; their labels, if any, do not matter.
    progress
        Callback for progress: the stage `checking`.

    Raises
    ------
    OptionError
        If there is no such form.
    ModelFileError
        If one of the files cannot be run.
    DataError
        If no photo can be read.
    """
    if form not in LIMITS:
        raise OptionError(f"to: must be one of {', '.join(LIMITS)}; got {form!r}")
    before = load(model)
    found = _Differences()
    refused: list[Refusal] = []
    with RUNNERS[form](exported) as run:
        for done, batch in _batches(before, dataset, refused, whole=form == "web"):
            squares = np.stack([photo.square for photo in batch])
            found.add(before, timed(before.run, squares), run(batch))
            progress("checking", done, len(dataset))
    if not found.probability:
        named = dataset.refusals_named(refused)
        raise DataError(f"{dataset.called}: no photo can be read, so nothing was compared; {named}")
    return ExportCheck(
        form=form,
        n=len(found.probability),
        same_label=float(np.mean(found.labels)),
        max_probability_difference=max(found.probability),
        max_typicality_difference=max(found.typicality),
        same_set=float(np.mean(found.sets)),
        size_bytes=_size(exported),
        speed_ratio=found.seconds[0] / max(found.seconds[1], 1e-9),
        refused=(*dataset.refused, *refused),
        limits=_limits(form, exported),
        arena_bytes=arena_bytes(exported) if form == MICRO else None,
    )


def _size(exported: Path) -> int:
    files = exported.rglob("*") if exported.is_dir() else [exported]
    return sum(file.stat().st_size for file in files if file.is_file())


def _limits(form: str, exported: Path) -> ExportLimits:
    if form == "int8" and load(exported).card["exported"].get("activations"):
        return WITH_ACTIVATIONS
    if form != "web":
        return LIMITS[form]
    card = json.loads((exported / "card.json").read_bytes())
    return LIMITS["int8" if card["exported"]["precision"] == "int8" else form]


@dataclass
class _Differences:
    """Photo by photo."""

    labels: list[bool] = field(default_factory=list)
    sets: list[bool] = field(default_factory=list)
    probability: list[float] = field(default_factory=list)
    typicality: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def add(self, model: Predictor, before: tuple[Outputs, float], after: tuple[Outputs, float]) -> None:
        """Compare the answers to a batch."""
        rule = model.judge(1)
        columns = (*vars(before[0]).values(), *vars(after[0]).values())
        for own, own_typicality, _, other, other_typicality, _ in zip(*columns, strict=True):
            first = judged(rule, None, own, own_typicality)
            second = judged(rule, None, other, other_typicality)
            self.labels.append(given_by(first) == given_by(second))
            self.sets.append(first.set == second.set)
            self.probability.append(float(np.abs(own - other).max()))
            self.typicality.append(float(abs(own_typicality - other_typicality)))
        self.seconds[0] += before[1]
        self.seconds[1] += after[1]


def given_by(answer: Prediction) -> object:
    """The label, or all tags given whatever their order."""
    return answer.label if answer.labels is None else set(answer.labels)


def _batches(
    model: Predictor, dataset: "Dataset", refused: list[Refusal], *, whole: bool
) -> Iterator[tuple[int, list[ExportPhoto]]]:
    """Photos, and how many were looked at; what cannot be read is kept apart."""

    def prepared(path: str) -> ExportPhoto | Refusal:
        try:
            if not whole:
                return ExportPhoto(model.prepare(path), None)
            image = open_image(path)
            return ExportPhoto(model.preprocessing.resize(image), np.asarray(image))
        except RefusedInput as error:
            return Refusal(dataset.display(path), error.code, error.message)

    done = 0
    ahead = WHOLE_AHEAD if whole else AHEAD
    with contextlib.closing(in_order(prepared, dataset.paths, usable_cores(), ahead)) as stream:
        for some in iter(lambda: list(islice(stream, BATCH)), []):
            done += len(some)
            refused += [one for one in some if isinstance(one, Refusal)]
            photos = [one for one in some if not isinstance(one, Refusal)]
            if photos:
                yield done, photos


def lines(check: ExportCheck) -> Sequence[str]:
    """What came of it, for a person."""
    limits = check.limits
    verdict = (
        f"within the limits of {check.form} (same label on {limits.same_label:.0%}, probabilities within "
        f"{limits.probability:g})"
    )
    faster = check.speed_ratio >= 1
    speed = check.speed_ratio if faster else 1 / check.speed_ratio
    compared = f"checked on {check.n} photos: same label on {check.same_label:.1%}"
    largest = (
        f"largest difference of a probability {check.max_probability_difference:.2g}, of typicality "
        f"{check.max_typicality_difference:.2g}"
    )
    cost = f"{speed:.2f} times {'as fast' if faster else 'as slow'} as the model, photos decoded before"
    if check.arena_bytes is not None:  # how fast a board is, this machine cannot tell
        cost = memory_sentence(check.size_bytes, check.arena_bytes)
    return (
        f"{compared}, same set on {check.same_set:.1%}",
        largest,
        cost,
        verdict if check.within else f"not {verdict}",
    )
