"""Predictions by many processes, into a folder of parts; a run that was stopped goes on.

Plain Ray places the work: an actor a core, each with a model that uses one thread, and two parts in hand at
most. Ray Data was not taken: its readers raise on a broken image, where here each has its row, and what is
needed of it (actors, few calls under way, another try where a process ends) are a hundred lines.
"""

import importlib.util
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fieldguide.cluster.part_worker import Part, PartDone, PartWorker
from fieldguide.cluster.part_workers import parts_done
from fieldguide.cluster.ray_session import LOCAL, WAITING, ray_session
from fieldguide.errors import DataError, OptionError
from fieldguide.installation import command_for
from fieldguide.prediction.inputs import Inputs
from fieldguide.prediction.items import EmbeddedImage, Item
from fieldguide.prediction.parts import PART_ROWS, Manifest, PartFolder, PartState, manifest_of
from fieldguide.prediction.predictor import Predictor
from fieldguide.prediction.writers import FIRST_REFUSED, WriteResult
from fieldguide.progress import Progress, silent
from fieldguide.storage.object_store import ObjectUrl

_MANIFEST_EVERY = 5.0
"""Seconds from one count of what is done to the next."""


@dataclass(frozen=True)
class ClusterRun:
    """How a cluster is to do it."""

    address: str = LOCAL
    """As for :func:`fieldguide.cluster.ray_session.ray_session`."""
    retry_refused: bool = False
    """Whether inputs that an earlier run refused are tried again."""
    top: int = 5
    listed: int = 1
    part_rows: int = PART_ROWS
    cores: int | None = None
    """Of a cluster that is started; None takes all."""


def check_cluster(cluster: str | None, out: object, form: str | None, retry_refused: bool) -> None:
    """Refuse options that do not go together.

    Raises
    ------
    OptionError
        If so.
    """
    if cluster is None:
        if retry_refused:
            raise OptionError("--retry-refused goes with --cluster; remove FILE.partial to start a run anew")
        return
    if out is None:
        raise OptionError("--cluster writes a folder of parts; say which with --out FOLDER")
    if form is not None:
        raise OptionError("--cluster writes Parquet; leave --form out, or predict without --cluster")


def predict_on_cluster(
    predictor: Predictor,
    inputs: Inputs,
    out: Path | ObjectUrl,
    run: ClusterRun | None = None,
    *,
    progress: Progress = silent,
) -> WriteResult:
    """Predict inputs into a folder of parts.

    Parameters
    ----------
    predictor
        A loaded model; its file is sent to the processes.
    inputs
        From :func:`fieldguide.prediction.inputs.find_inputs`. Files must be where every machine finds them.
    out
        The folder, or a prefix of an object store.
    run
        How it is to be done; None takes a cluster of this machine.
    progress
        Callback for progress: the inputs done.

    Raises
    ------
    OptionError
        If Ray or pyarrow is not installed, or the cluster cannot be had.
    OutputError
        If the folder holds another run, or a part cannot be written.
    DataError
        If images that stand in a table or an archive would have to reach another machine.
    """
    run = run or ClusterRun()
    if importlib.util.find_spec("pyarrow") is None:
        raise OptionError(f"--cluster writes Parquet, which needs pyarrow; run: {command_for('parquet')}")
    if run.address != LOCAL and any(isinstance(item, EmbeddedImage) for item in inputs.items):
        raise DataError(
            "--cluster: images in a table or an archive are on this machine only; unpack them to where every "
            "machine of the cluster finds them"
        )
    folder = PartFolder(out)
    manifest = manifest_of(predictor.digest, inputs.items, run.top, run.listed, run.part_rows)
    folder.begin(manifest)
    kept = _kept(folder, manifest)
    written = _counted(folder, kept, run)
    waiting = _waiting(manifest, inputs.items, kept, run)
    if waiting:
        progress("predicting", written.rows, len(inputs))
        _work(predictor, folder, manifest, (waiting, run, written, progress))
    folder.say(manifest, manifest.parts)
    return written


def _kept(folder: PartFolder, manifest: Manifest) -> dict[int, PartState]:
    """Parts of an earlier run that are whole."""
    numbers = sorted(number for number in folder.numbers() if number < manifest.parts)
    states = {number: folder.state(number, manifest) for number in numbers}
    return {number: state for number, state in states.items() if state is not None}


def _counted(folder: PartFolder, kept: dict[int, PartState], run: ClusterRun) -> WriteResult:
    """What was done before: all of it, or, where refusals are tried again, the parts that have none."""
    written = WriteResult()
    for number, state in kept.items():
        if run.retry_refused and state.refused:
            written.kept += state.rows - state.refused
            continue
        if state.refused and written.refused < FIRST_REFUSED:
            for row in folder.rows(number):
                written.count(row)
        else:
            written.rows += state.rows
            written.refused += state.refused
        written.kept += state.rows
    return written


def _waiting(
    manifest: Manifest, items: list[Item], kept: dict[int, PartState], run: ClusterRun
) -> list[tuple[int, list[Item], bool]]:
    """Numbers of the parts to do, their inputs, and whether only what they hold as refused is tried again."""
    waiting = []
    for number in range(manifest.parts):
        state = kept.get(number)
        if state is None or (run.retry_refused and state.refused):
            first, end = manifest.bounds(number)
            waiting.append((number, items[first:end], state is not None))
    return waiting


def _work(
    predictor: Predictor,
    folder: PartFolder,
    manifest: Manifest,
    rest: tuple[list[tuple[int, list[Item], bool]], ClusterRun, WriteResult, Progress],
) -> None:
    waiting, run, written, progress = rest
    with ray_session(run.address, cores=run.cores) as ray:
        model = ray.put(predictor.model_file)
        place = PartFolder(Path(os.path.abspath(folder.place))) if isinstance(folder.place, Path) else folder  # noqa: PTH100
        actor = ray.remote(num_cpus=1)(PartWorker)
        cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
        parts = (Part(number, _sent(items), retried) for number, items, retried in waiting)
        told, done_parts = time.monotonic(), manifest.parts - len(waiting)
        stream: Iterator[PartDone] = parts_done(
            ray,
            lambda: actor.remote(model, place, manifest),
            min(cores, len(waiting)),
            parts,
            waited=lambda seconds: progress(WAITING, seconds, None),
        )
        for done in stream:
            written.rows += done.rows
            written.refused += done.refused
            written.first_refused.extend(done.first_refused[: FIRST_REFUSED - len(written.first_refused)])
            done_parts += 1
            progress("predicting", written.rows, manifest.inputs)
            if time.monotonic() - told > _MANIFEST_EVERY:
                folder.say(manifest, done_parts)
                told = time.monotonic()


def _sent(items: list[Item]) -> list[Item]:
    """Inputs as another process finds them, whose current folder may be another, under the same names."""
    return list(_absolute(items))


def _absolute(items: list[Item]) -> Iterator[Item]:
    for item in items:
        if isinstance(item, str) and not isinstance(item, ObjectUrl):
            yield EmbeddedImage(item, os.path.abspath(item))  # noqa: PTH100
        else:
            yield item
