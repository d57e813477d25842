"""Whether a model whose activations are rounded to 8 bits is worth having: held-out photos decide.

Some photos tell the ranges, others that were not among them compare both files: labels, calibration, coverage
of prediction sets, false alarms and, where it will run on machines like this, speed. Where one of these falls
short, weights alone are rounded, with the reason. A board without an operating system runs nothing else, so
there the file is written all the same, and what falls short is said.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fieldguide.errors import DataError, Refusal, RefusedInput
from fieldguide.evaluation.export_check import given_by
from fieldguide.evaluation.export_runners import litert_runner
from fieldguide.evaluation.result import Evaluation, Outcomes, measure
from fieldguide.metrics.classification import expected_calibration_error
from fieldguide.modelfile.artifact import ModelFile, load_model_file
from fieldguide.modelfile.exports import litert
from fieldguide.modelfile.exports.activations import round_activations
from fieldguide.modelfile.exports.conversion import MadeBefore
from fieldguide.modelfile.exports.int8 import refuse_rounded
from fieldguide.modelfile.exports.litert import MICRO
from fieldguide.prediction.predictor import BATCH, Outputs, Predictor, load
from fieldguide.progress import Progress, silent
from fieldguide.tasks.task import Task

if TYPE_CHECKING:
    from fieldguide.data.dataset import Dataset

FOR_RANGES, MOST_JUDGED = 100, 500
"""Photos that tell the ranges, and those that compare both files, where there are as many; else a third and
two thirds."""
FEWEST = 30
"""Photos in all."""
LEAST_SAME, LEAST_FASTER = 0.97, 1.05
"""Share of photos with the same label; times as fast."""
MOST_WORSE_ECE, MOST_LOST_COVERAGE, MOST_MORE_UNKNOWN = 0.01, 0.02, 0.02
"""What calibration error, coverage of sets and share of photos taken as unknown may get worse."""
SURE, DRAWS = 1.64, 200
"""Standard errors that are more than chance, and draws that they come from."""

FORMS = ("int8", "litert-int8", MICRO)
"""What photos can be given for."""
Pixels = NDArray[np.uint8]
_Run: TypeAlias = Callable[[Pixels], Outputs]


def rounded_activations(
    path: Path, dataset: "Dataset", form: str = "int8", seed: int = 0, progress: Progress = silent
) -> MadeBefore:
    """Round weights and activations of a model, and judge the result.

    Parameters
    ----------
    path
        A model file.
    dataset
        Photos like those that the model will see, at least 30; with labels that the model knows, calibration
        and coverage are compared as well.
    form
        One of :data:`FORMS`.
    seed
        Of which photos tell the ranges.
    progress
        Callback for progress: the stages `reading photos` and `rounding`.

    Returns
    -------
    MadeBefore
        The file, or None where weights alone are to be rounded; with what was compared, in a sentence.

    Raises
    ------
    DataError
        If there are too few photos that can be read.
    OptionError
        If the model has no network that can be rounded so.
    """
    model, before = load_model_file(path), load(path)
    refuse_rounded(model, form)  # before photos are read, which takes longer
    rows = np.random.default_rng(seed).permutation(len(dataset))
    refused = list(dataset.refused)
    most = min(FOR_RANGES + MOST_JUDGED, len(dataset))
    taken = _taken(_squares(before, dataset, rows, refused), most, progress)
    count = FOR_RANGES if len(taken) == FOR_RANGES + MOST_JUDGED else len(taken) // 3
    judged = taken[count:]
    unread = _unread(dataset, refused)
    if len(taken) < FEWEST:
        raise DataError(
            f"{dataset.called}: --calibrate needs at least {FEWEST} photos that can be read; "
            f"got {len(taken)}{unread}; give more"
        )
    progress("rounding", 0, None)
    content = _rounded(model, form, [square for _, square in taken[:count]])
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"rounded{'.onnx' if form == 'int8' else '.tflite'}"
        place.write_bytes(content)
        found = _compared(before, _runner(place, form), judged, dataset)
    made = _made(content, form, found)
    return replace(made, note=made.note + unread)


def _rounded(model: ModelFile, form: str, ranges: list[Pixels]) -> bytes:
    if form == "int8":
        return round_activations(model, ranges)
    return litert.FORMS[form].rounded(model, ranges)


def _runner(place: Path, form: str) -> "_Run":
    if form != "int8":
        return litert_runner(place)
    model = load(place)
    return lambda batch: model.run(batch, alone=False)


def _made(content: bytes, form: str, found: "_Compared") -> MadeBefore:
    reasons = found.reasons(faster=form == "int8")
    if form == MICRO:
        short = f"; less near than int8 must be: {'; '.join(reasons)}" if reasons else ""
        return MadeBefore(content, f"whole numbers of 8 bits: {found.summary(speed=False)}{short}")
    if not reasons:
        return MadeBefore(content, f"weights and activations of 8 bits: {found.summary()}")
    return MadeBefore(
        None, f"weights of 8 bits alone: with activations {'; '.join(reasons)} ({found.summary()})"
    )


def _squares(
    model: Predictor, dataset: "Dataset", rows: NDArray[np.int64], refused: list[Refusal]
) -> Iterator[tuple[int, Pixels]]:
    """Photos that can be read, with their rows; the others are added to `refused`."""
    for row in rows.tolist():
        path = dataset.paths[row]
        try:
            yield row, model.prepare(path)
        except RefusedInput as error:
            refused.append(Refusal(dataset.display(path), error.code, error.message))


def _taken(squares: Iterator[tuple[int, Pixels]], most: int, progress: Progress) -> list[tuple[int, Pixels]]:
    taken: list[tuple[int, Pixels]] = []
    for one in islice(squares, most):
        taken.append(one)
        progress("reading photos", len(taken), most)
    progress("reading photos", len(taken), len(taken))
    return taken


def _unread(dataset: "Dataset", refused: Sequence[Refusal]) -> str:
    """For the end of a sentence: what was left out, and why."""
    if not refused:
        return ""
    photos = "1 photo" if len(refused) == 1 else f"{len(refused)} photos"
    return f"; {photos} could not be read: {dataset.refusals_named(refused)}"


@dataclass(frozen=True)
class _Compared:
    """Both files on the same photos."""

    photos: int
    same: float
    faster: float
    """Median seconds of the model over those of the rounded one, on one thread."""
    measured: tuple[Evaluation, Evaluation] | None
    """Of both, where labels are known."""
    ece_error: float
    """Standard error of the difference of their calibration errors; 0 where labels are not known."""

    def reasons(self, *, faster: bool) -> list[str]:
        """What falls short; `faster` says whether speed on this machine matters."""
        found = []
        if self.same < LEAST_SAME:
            found.append(f"labels stay the same on fewer than {LEAST_SAME:.0%} of photos")
        if faster and self.faster < LEAST_FASTER:
            found.append("it is not faster on this processor")
        if self.measured is not None:
            before, after = self.measured
            # Of few photos the calibration error says little; a growth must be more than chance.
            if after.ece > before.ece + max(MOST_WORSE_ECE, SURE * self.ece_error):
                found.append(f"the calibration error grows by more than {MOST_WORSE_ECE}")
            if after.coverage < before.coverage - MOST_LOST_COVERAGE:
                found.append(f"sets hold the truth for over {MOST_LOST_COVERAGE:.0%} fewer photos")
            if after.unknown_rate > before.unknown_rate + MOST_MORE_UNKNOWN:
                found.append(f"over {MOST_MORE_UNKNOWN:.0%} more photos are taken as unknown")
        return found

    def summary(self, *, speed: bool = True) -> str:
        """What was compared, in numbers; `speed` says whether that on this machine means anything."""
        text = f"on {self.photos} photos the same label on {self.same:.1%}"
        text += f", {self.faster:.2f} times as fast" if speed else ""
        if self.measured is None:
            return text
        before, after = self.measured
        return (
            f"{text}; accuracy {after.accuracy.value:.3f} ({before.accuracy.value:.3f} before), calibration "
            f"error {after.ece:.3f} ({before.ece:.3f}), sets hold the truth for "
            f"{after.coverage:.3f} ({before.coverage:.3f}), unknown {after.unknown_rate:.3f} "
            f"({before.unknown_rate:.3f})"
        )


def _compared(
    before: Predictor, after: _Run, judged: list[tuple[int, Pixels]], dataset: "Dataset"
) -> _Compared:
    runs = (lambda batch: before.run(batch, alone=False), after)
    both = _answers(runs, [square for _, square in judged])
    rule = before.judge(1)
    labels = [
        [given_by(rule(None, *one)) for one in zip(each.probabilities, each.typicality, strict=True)]
        for each in both
    ]
    same = float(np.mean([first == second for first, second in zip(*labels, strict=True)]))
    names = [dataset.labels[row] for row, _ in judged] if dataset.task is Task.SINGLE else []
    measured, ece_error = None, 0.0
    if names and set(names) <= set(before.classes) and before.thresholds["set"] is not None:
        outcomes = (_outcomes(before, both[0], names), _outcomes(before, both[1], names))
        measured = (measure(outcomes[0], before.classes), measure(outcomes[1], before.classes))
        ece_error = _ece_error(*outcomes)
    return _Compared(len(judged), same, both[0].seconds / both[1].seconds, measured, ece_error)


@dataclass(frozen=True)
class _Answers:
    probabilities: NDArray[np.float32]
    typicality: NDArray[np.float32]
    seconds: float
    """A photo, the median over batches."""


def _answers(runs: tuple[_Run, _Run], squares: list[Pixels]) -> list[_Answers]:
    """Of each model; they take turns, since machines are busy now and then."""
    rows: tuple[list[Outputs], list[Outputs]] = ([], [])
    seconds: tuple[list[float], list[float]] = ([], [])
    for start in range(0, len(squares), BATCH):
        batch = np.stack(squares[start : start + BATCH])
        for run, outputs, times in zip(runs, rows, seconds, strict=True):
            began = time.perf_counter()
            outputs.append(run(batch))
            times.append((time.perf_counter() - began) / len(batch))
    return [
        _Answers(
            np.concatenate([one.probabilities for one in outputs]),
            np.concatenate([one.typicality for one in outputs]),
            float(np.median(times)),
        )
        for outputs, times in zip(rows, seconds, strict=True)
    ]


def _outcomes(model: Predictor, answers: _Answers, names: list[str]) -> Outcomes:
    stated = model.card["thresholds"]
    numbers = {name: number for number, name in enumerate(model.classes)}
    return Outcomes.of(
        np.array([numbers[name] for name in names]),
        answers.probabilities,
        answers.typicality,
        set_threshold=np.array(stated.get("set_by_class") or [stated["set"]] * len(numbers)),
        unknown_threshold=stated["unknown"],
    )


def _ece_error(before: Outcomes, after: Outcomes) -> float:
    """The standard error of the difference, by drawing the photos again (bootstrap)."""
    random, found = np.random.default_rng(0), []
    pairs = [(one.confidence, one.truth == one.predicted) for one in (before, after)]
    for _ in range(DRAWS):
        rows = random.integers(len(before.truth), size=len(before.truth))
        first, second = (expected_calibration_error(share[rows], right[rows]) for share, right in pairs)
        found.append(second - first)
    return float(np.std(found))
