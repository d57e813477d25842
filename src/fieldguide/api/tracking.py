"""Keeping what calls are given and reach in an experiment tracker: `log_to`."""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

from fieldguide.errors import OptionError
from fieldguide.files import scratch_folder
from fieldguide.installation import command_for
from fieldguide.tracking.tracker import Signature, Tracker, figures_of, parameters_of
from fieldguide.training.remaining import history_row

Tool: TypeAlias = Literal["mlflow", "wandb"]
TOOLS: tuple[Tool, ...] = ("mlflow", "wandb")
_STATE: dict[str, Callable[[], Tracker]] = {}


def log_to(tool: Tool | None, *, project: str | None = None) -> None:
    """From now on, keep each training, tuning, comparison and measurement in an experiment tracker.

    What a call was given becomes parameters; figures of epochs and folds become metrics by step, the result's
    headline figures metrics, its JSON and its picture files, and the model an artifact with its signature. A
    run that is open already is gone on with. Where they go is the tracker's own setting:
    ``mlflow.set_tracking_uri``, ``MLFLOW_TRACKING_URI``, ``WANDB_MODE=offline``.

    Parameters
    ----------
    tool : {"mlflow", "wandb"} or None
        The tracker; None ends it.
    project : str, optional
        MLflow's experiment, or the project of Weights & Biases.

    Raises
    ------
    OptionError
        If there is no such tracker, or it is not installed.

    Examples
    --------
    >>> import fieldguide
    >>> fieldguide.log_to("mlflow", project="leaves")                     # doctest: +SKIP
    >>> fieldguide.train("photos", recipe="svm", out="model.onnx")        # doctest: +SKIP
    >>> fieldguide.log_to(None)
    """
    _STATE.clear()
    if tool is None:
        return
    if tool not in TOOLS:
        raise OptionError(f"tool: must be one of {', '.join(TOOLS)}, or None; got {tool!r}")
    _tracker(tool, project)  # now, and not at the end of a training, it is said that it is not installed
    _STATE["make"] = lambda: _tracker(tool, project)


def _tracker(tool: Tool, project: str | None) -> Tracker:
    try:
        if tool == "mlflow":
            from fieldguide.tracking.mlflow_store import MlflowTracker

            return MlflowTracker(project)
        from fieldguide.tracking.wandb_store import WandbTracker

        return WandbTracker(project)
    except ImportError as error:
        raise OptionError(f"{tool}: it is not installed; run: {command_for(tool)}") from error


class Tracked:
    """A call that may be kept: without a tracker, nothing is."""

    def __init__(self, name: str, tracker: Tracker | None) -> None:
        self._name, self._tracker = name, tracker

    def epoch(self, row: Mapping[str, float]) -> None:
        """Keep an epoch's figures."""
        if self._tracker is not None:
            values = {name: value for name, value in history_row(row).items() if name != "epoch"}
            self._tracker.metrics(values, int(row["epoch"]))

    def folds(self, name: str, values: Iterable[float]) -> None:
        """Keep a figure of each fold."""
        for fold, value in enumerate(values if self._tracker is not None else (), start=1):
            assert self._tracker is not None
            self._tracker.metrics({name: value}, fold)

    def result(self, result: Any, figures: Mapping[str, float]) -> None:
        """Keep what came out: figures, the JSON and what a notebook shows."""
        if self._tracker is None:
            return
        self._tracker.metrics(figures)
        files = {f"{self._name}.json": json.dumps(result.as_dict(), indent=2)}
        self._tracker.files(files | {f"{self._name}.html": result._repr_html_()})

    def measured(self, result: Any, measured: Mapping[str, Any]) -> None:
        """Keep a result with the figures of a measurement's JSON."""
        self.result(result, figures_of(measured))

    def trained(self, result: Any, measured: Mapping[str, Any]) -> None:
        """Keep a training with the figures of its validation, and its model."""
        self.result(result, figures_of(measured, "validation_"))
        if self._tracker is None:
            return
        with scratch_folder() as folder:
            result.save(folder / "model.onnx")
            self._tracker.model(folder / "model.onnx", Signature.of(len(result.model.classes)))


@contextlib.contextmanager
def tracked(name: str, given: Mapping[str, Any]) -> Iterator[Tracked]:
    """What a call tells while it runs and of its result; a run is closed also where the call fails."""
    make = _STATE.get("make")
    if make is None:
        yield Tracked(name, None)
        return
    tracker = make()
    tracker.begin(name, parameters_of(given))
    try:
        yield Tracked(name, tracker)
    except BaseException:
        tracker.end(failed=True)
        raise
    tracker.end(failed=False)
