"""What the recipes share that train a network step by step: the run, the file and its promises.

images → learned from | held out (DATA's validation split, or a part that keeps look-alikes together)
       → network trained on the one, watched on the other
       → exported; the exported file's answers to the held-out images set every promise
"""

import gc
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from fieldguide import calibration, familiarity
from fieldguide.backbone_onnx import to_onnx
from fieldguide.checkpoint import TrainingFolder
from fieldguide.discriminant import Table
from fieldguide.errors import TrainingError
from fieldguide.graph import Head, head_model
from fieldguide.loop import Plan, Task, Trained, Watch, train_network
from fieldguide.probe import COVERAGE, as_distance, told_promises
from fieldguide.recipes.common import OutOfFold, Setting
from fieldguide.recipes.learned_images import Images, gather, run_name, shorter_sides, versions
from fieldguide.recipes.learned_network import Batches, Classifier, FeatureNetwork, validated
from fieldguide.threads import usable_cores

__all__ = [
    "Batches",
    "Classifier",
    "FeatureNetwork",
    "Images",
    "Promised",
    "gather",
    "promise",
    "run",
    "run_name",
    "shorter_sides",
    "validated",
    "versions",
]

BATCH = 32
MOST_LEARNED = 5000
"""Images learned from that the trained network looks at once more, for the distance behind typicality."""
MEASURED_ON = "images held out from training, which also watched it and set the calibration"


def run(
    task: Task, plan: Plan, setting: Setting, name: str, again: Callable[[Plan], Task] | None = None
) -> Trained:
    """Train with checkpoints where the setting has a folder for them.

    Parameters
    ----------
    task, plan
        What and how long.
    setting
        Folder, option `resume`, progress and report.
    name
        From :func:`run_name`.
    again
        Makes a task of the same network for another plan. Where memory does not suffice, training starts
        again with half as many images a step, once; None has it end.

    Raises
    ------
    OutputError
        If another run uses the folder.
    TrainingError
        If the loss is no number from the start, or memory does not suffice.
    """
    start = {key: value.detach().clone() for key, value in task.network.state_dict().items()}
    try:
        return _run(task, plan, setting, name)
    except (RuntimeError, MemoryError) as error:
        if not _is_memory(error):
            raise
    if again is None or plan.batch_size < 2:
        raise TrainingError(_no_memory(plan.batch_size))
    half = replace(plan, batch_size=plan.batch_size // 2)
    gc.collect()
    task.network.load_state_dict(start)
    try:
        trained = _run(again(half), half, setting, f"{name} {half.batch_size}")
    except (RuntimeError, MemoryError) as error:
        if not _is_memory(error):
            raise
        raise TrainingError(_no_memory(half.batch_size)) from None
    note = f"memory did not suffice for {plan.batch_size} images a step; trained with {half.batch_size}"
    return replace(trained, notes=(note, *trained.notes))


def _run(task: Task, plan: Plan, setting: Setting, name: str) -> Trained:
    watch = Watch(setting.progress, setting.report)
    if setting.folder is None:
        return train_network(task, plan, None, watch)
    with TrainingFolder(setting.folder, name) as folder:
        if not setting.options.get("resume"):
            folder.forget()
        trained = train_network(task, plan, folder, watch)
        if not trained.interrupted:
            folder.clear()
    return trained


def _is_memory(error: Exception) -> bool:
    """Whether memory ran out: a GPU's has a kind of error of its own, torch's of the computer a sentence."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "allocate memory" in text


def _no_memory(batch: int) -> str:
    return (
        f"training: memory does not suffice for {batch} images a step; give a smaller --batch-size such as "
        f"{max(1, batch // 2)}, or a smaller --size"
    )


@dataclass(frozen=True)
class Promised:
    """An exported network with a head whose promises rest on the held-out images."""

    body: onnx.ModelProto
    head: onnx.ModelProto
    set_threshold: float
    out_of_fold: OutOfFold
    choices: tuple[str, ...]


def promise(
    network: Classifier,
    images: Images,
    depths: tuple[tuple[str, int], ...],
    setting: Setting,
    shares: NDArray[np.float64] | None = None,
) -> Promised:
    """Export a trained network and calibrate it on the images held out, as the exported file sees them.

    Parameters
    ----------
    network
        Trained.
    images
        What it was trained on and watched with.
    depths
        Name and width of each part of the features, from early to late.
    setting
        Seed and progress.
    shares
        Share of each class that the scores do not hold yet, since training weighed the classes; of shape
        (n_classes,). None: training has seen the classes as often as they come.
    """
    network = network.cpu().eval()
    content, linear = to_onnx(network.features, "the trained network"), network.linear
    learn = _sample(images.learn, MOST_LEARNED, setting.seed)
    rows = np.concatenate([learn, images.held])
    table = Table.of(
        _features(content, images.table.images, rows, setting),
        images.numbers[rows],
        np.r_[np.ones(len(learn), np.int64), np.zeros(len(images.held), np.int64)],
    )
    weights = linear.weight.detach().cpu().numpy().T.astype(np.float64)
    bias = linear.bias.detach().cpu().numpy().astype(np.float64) if linear.bias is not None else 0.0
    truth = images.numbers[images.held]
    scores = table.vectors[len(learn) :].astype(np.float64) @ weights + bias
    even = np.full(len(images.classes), 1 / len(images.classes))
    calibrated = calibration.calibrate(scores, truth, even if shares is None else shares)
    probabilities = calibrated.probabilities(scores)
    columns = familiarity.deep_columns(depths)
    directions = familiarity.most_directions(len(learn), len(images.classes), len(columns))
    fitted = familiarity.fit(table, columns, np.arange(len(learn)), setting.seed, directions)
    distances = fitted.distances_of(table.rows(slice(len(learn), None), columns)).astype(np.float64)
    head = Head(
        **vars(as_distance(table, fitted, distances)),
        weights=(weights / calibrated.temperature).astype(np.float32),
        bias=(bias / calibrated.temperature + calibrated.log_priors).astype(np.float32),
    )
    return Promised(
        body=onnx.load_model_from_string(content),
        head=head_model(head),
        set_threshold=calibration.set_threshold(probabilities[np.arange(len(truth)), truth], COVERAGE),
        out_of_fold=OutOfFold(
            images.table.rows[images.held], truth, probabilities, calibration.own_typicality(distances)
        ),
        choices=told_promises(calibrated, len(distances)),
    )


def _sample(rows: NDArray[np.int64], most: int, seed: int) -> NDArray[np.int64]:
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def _features(
    content: bytes, images: NDArray[np.uint8], rows: NDArray[np.int64], setting: Setting
) -> NDArray[np.float32]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = usable_cores()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    parts = []
    for start in range(0, len(rows), BATCH):
        setting.progress("measuring the trained network", start, len(rows))
        parts.append(session.run(["features"], {"pixels": images[rows[start : start + BATCH]]})[0])
    setting.progress("measuring the trained network", len(rows), len(rows))
    return np.concatenate(parts)
