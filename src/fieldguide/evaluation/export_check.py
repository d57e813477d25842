"""An exported file beside the model it came from: whether both give the same answers to the same photos.

The export is run as its user runs it, never by what wrote it. A page is given whole photos, since it resizes
by itself; both sides then see the same photo, decoded at its full size.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.errors import DataError, OptionError, Refusal, RefusedInput
from fieldguide.evaluation.web_runner import web_runner
from fieldguide.images.decoding import open_image
from fieldguide.modelfile.session import open_session
from fieldguide.prediction.predictor import BATCH, NAMES, Outputs, Predictor, judged, load
from fieldguide.prediction.result import Prediction
from fieldguide.progress import Progress, silent
from fieldguide.threads import in_order, usable_cores

if TYPE_CHECKING:
    from fieldguide.data.dataset import Dataset

Pixels = NDArray[np.uint8]
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
    with _RUNNERS[form](exported) as run:
        for done, batch in _batches(before, dataset, refused, whole=form == "web"):
            squares = np.stack([photo.square for photo in batch])
            found.add(before, _timed(before.run, squares), run(batch))
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


@dataclass(frozen=True)
class _Photo:
    """As the network and, where the export resizes by itself, as the export sees it."""

    square: Pixels
    whole: Pixels | None


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
) -> Iterator[tuple[int, list[_Photo]]]:
    """Photos, and how many were looked at; what cannot be read is kept apart."""

    def prepared(path: str) -> _Photo | Refusal:
        try:
            if not whole:
                return _Photo(model.prepare(path), None)
            image = open_image(path)
            return _Photo(model.preprocessing.resize(image), np.asarray(image))
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


def _timed(run: Callable[[Pixels], Outputs], pixels: Pixels) -> tuple[Outputs, float]:
    started = time.perf_counter()
    return run(pixels), time.perf_counter() - started


_Run = Callable[[list[_Photo]], tuple[Outputs, float]]
"""Photos to the outputs of the export, and the seconds that took."""


def _of_squares(run: Callable[[Pixels], Outputs]) -> _Run:
    return lambda photos: _timed(run, np.stack([photo.square for photo in photos]))


@contextlib.contextmanager
def _model(path: Path) -> Iterator[_Run]:
    yield _of_squares(load(path).run)


@contextlib.contextmanager
def _core(path: Path) -> Iterator[_Run]:
    session = open_session(path, str(path), usable_cores())
    yield _of_squares(lambda pixels: Outputs(*session.run(NAMES, {"pixels": pixels})))


@contextlib.contextmanager
def _litert(path: Path) -> Iterator[_Run]:
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_path=str(path), num_threads=usable_cores()).get_signature_runner()

    def run(pixels: Pixels) -> Outputs:
        answers = [runner(pixels=one[None]) for one in pixels]
        return Outputs(*(np.concatenate([answer[name] for answer in answers]) for name in NAMES))

    yield _of_squares(run)


@contextlib.contextmanager
def _web(path: Path) -> Iterator[_Run]:
    with web_runner(path) as runner:
        yield lambda photos: runner.run([photo.whole for photo in photos if photo.whole is not None])


_RUNNERS: dict[str, Callable[[Path], AbstractContextManager[_Run]]] = {
    "int8": _model,
    "core": _core,
    "litert": _litert,
    "litert-float16": _litert,
    "litert-int8": _litert,
    "web": _web,
}


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
    return (
        f"{compared}, same set on {check.same_set:.1%}",
        largest,
        f"{speed:.2f} times {'as fast' if faster else 'as slow'} as the model, photos decoded before",
        verdict if check.within else f"not {verdict}",
    )
