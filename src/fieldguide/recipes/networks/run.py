"""What the recipes share that train a network step by step: the run, the file and its promises.

images → learned from | held out (DATA's validation split, or a part that keeps look-alikes together)
       → network trained on the one, watched on the other
       → exported; the exported file's answers to the held-out images set every promise
"""

import contextlib
import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import cast

import numpy as np
import onnx
from numpy.typing import NDArray
from torch import Tensor, nn

from fieldguide.backbones.timm_networks.onnx_export import to_onnx
from fieldguide.errors import OptionError, ProcessEnded, TrainingError
from fieldguide.files import LOGGER
from fieldguide.heads import out_of_distribution
from fieldguide.heads.feature_norm import norm_distance, tells_more
from fieldguide.heads.linear_head import as_distance
from fieldguide.heads.tag_probe import combinations
from fieldguide.heads.training_table import TrainingTable
from fieldguide.modelfile.session import open_session
from fieldguide.progress import Progress
from fieldguide.recipes.common import LearnedHead, Options, Run
from fieldguide.recipes.networks.images import Images
from fieldguide.recipes.networks.network import NetworkClassifier
from fieldguide.recipes.networks.promised_head import HeldOutScores, Linear, label_head, tag_head
from fieldguide.recipes.tagged_features import tags_summary
from fieldguide.tasks.tags import Indicators
from fieldguide.tasks.task import Task
from fieldguide.threads import usable_cores
from fieldguide.training.checkpoint import TrainingFolder
from fieldguide.training.devices import Place
from fieldguide.training.local_processes import local_processes
from fieldguide.training.loop import train_network
from fieldguide.training.plan import Plan, Trained, TrainingTask, Watch
from fieldguide.training.processes import ALONE, Processes, TaskDescription, in_use

FloatArray = NDArray[np.float64]
Together = Callable[[Plan], AbstractContextManager[Processes]]

LIBRARIES = ("torch", "torchvision", "timm", "onnxscript", "lightning-fabric")
"""Packages that what a trained network becomes depends on."""
WORKER = "fieldguide.recipes.networks.worker"
"""Module of what other processes do, which this one starts by its name."""
BATCH = 32
MOST_RESTARTS = 3
"""Times that processes are started anew in one training: after that the next end is no accident."""
MOST_LEARNED = 5000
"""Images learned from that the trained network looks at once more, for the distance behind typicality."""
MEASURED_ON = "images held out from training, which also watched it and set the calibration"


@dataclass(frozen=True)
class TrainingLimits:
    """What training may do besides."""

    task: Callable[[Plan], TrainingTask] | None = None
    """Makes a task of the same network for another plan. Where memory does not suffice, training starts again
    with half as many images a step, once; None has it end."""
    seconds: float | None = None
    """That training may take; None: as long as it takes."""
    described: TaskDescription | None = None
    """How other processes make the task; None has it trained by this one alone."""


def train_with_checkpoints(
    task: TrainingTask,
    plan: Plan,
    options: Options,
    run: Run,
    name: str,
    limits: TrainingLimits | None = None,
) -> Trained:
    """Train with checkpoints where the run has a folder for them.

    Parameters
    ----------
    task, plan
        What and how long.
    options
        The settings `resume` and `restart`.
    run
        Folder, progress and report.
    name
        From :func:`run_name`.
    limits
        Of memory and time.

    Raises
    ------
    OutputError
        If another run uses the folder.
    OptionError
        If a checkpoint of another run lies there, and `restart` is not set.
    TrainingError
        If the loss is no number from the start, or memory does not suffice.
    ProcessEnded
        If processes ended more than :data:`MOST_RESTARTS` times, or one that torchrun launched did.
    """
    limits = limits or TrainingLimits()
    again, watch = limits.task, Watch(run.progress, run.report, limits.seconds)
    together = partial(_together, options, limits.described)
    start = {key: value.detach().clone() for key, value in task.network.state_dict().items()}
    try:
        return _with_restarts(task, plan, watch, (options, run, name), (together, again, start))
    except (RuntimeError, MemoryError) as error:
        if not _is_memory(error):
            raise
    if again is None or plan.batch_size < 2:
        raise TrainingError(_no_memory(plan.batch_size))
    half = replace(plan, batch_size=plan.batch_size // 2)
    gc.collect()
    task.network.load_state_dict(start)
    try:
        kept = (_begun(options), run, f"{name} {half.batch_size}")
        trained = _with_restarts(again(half), half, watch, kept, (together, again, start))
    except (RuntimeError, MemoryError) as error:
        if not _is_memory(error):
            raise
        raise TrainingError(_no_memory(half.batch_size)) from None
    note = f"not enough memory for {plan.batch_size} images a step; trained with {half.batch_size}"
    return replace(trained, notes=(note, *trained.notes))


def check_devices(options: Options) -> None:
    """Stop before the photos are read where there cannot be so many devices.

    Raises
    ------
    OptionError
        If the setting `devices` is no whole number of 1 or more, or more than this machine's GPUs.
    """
    devices = options.settings.get("devices")
    if devices is None:
        return
    if not isinstance(devices, int) or isinstance(devices, bool) or devices < 1:
        raise OptionError(f"devices: must be a whole number, 1 or more; got {devices!r}")
    Place.on_this_machine(devices)


@contextlib.contextmanager
def _together(options: Options, described: TaskDescription | None, plan: Plan) -> Iterator[Processes]:
    """The processes that train: this one alone, those it was launched with, or those it starts now."""
    processes, devices = in_use(), options.settings.get("devices")
    if described is None or (processes.alone and (devices or 1) == 1):
        yield ALONE
        return
    _check_devices(processes, devices, plan)
    with contextlib.ExitStack() as started:
        if processes.alone:
            processes = started.enter_context(local_processes(int(devices or 1), WORKER))
        processes.told_task(described)
        processes.told_json(asdict(plan))
        yield processes


def _check_devices(launched: Processes, devices: int | None, plan: Plan) -> None:
    size = launched.place.size
    if devices is not None and not launched.alone and devices != size:
        raise OptionError(
            f"devices: must be {size}, the processes that were launched, or be left out; got {devices}"
        )
    count, images = (devices or size), min(plan.batch_size, plan.images)
    if count > images:
        raise OptionError(
            f"devices: must be at most {images}, the images of a step; got {count}; "
            "give a larger --batch-size or fewer devices"
        )


def _with_restarts(
    task: TrainingTask,
    plan: Plan,
    watch: Watch,
    kept: tuple[Options, Run, str],
    anew: tuple[Together, Callable[[Plan], TrainingTask] | None, Mapping[str, Tensor]],
) -> Trained:
    """Train; where a process that was started here ends, start all anew and go on from the checkpoint."""
    (options, run, name), (together, again, start) = kept, anew
    notes: list[str] = []
    while True:
        begun = False
        try:
            with together(plan) as processes:
                begun = True
                trained = _train(task, plan, watch, (options, run, name), processes)
            return replace(trained, notes=(*notes, *trained.notes))
        except ProcessEnded as ended:
            if again is None or not begun or len(notes) == MOST_RESTARTS:
                raise
            LOGGER.warning("%s; all processes are started anew", ended)
            how = str(ended).removeprefix("training: ").partition(": ")[0]  # without what it said last
            notes.append(f"{how}; all were started anew ({len(notes) + 1} of at most {MOST_RESTARTS} times)")
        gc.collect()  # what shared the gradients of the old processes still listens to the network's
        task.network.load_state_dict(start)  # where there is no checkpoint yet, or none is kept
        task, options = again(plan), _resumed(options)


def _resumed(options: Options) -> Options:
    """For going on with this very run, whose checkpoint is not to be thrown away."""
    return replace(options, settings={**options.settings, "resume": True, "restart": False})


def _train(
    task: TrainingTask, plan: Plan, watch: Watch, kept: tuple[Options, Run, str], processes: Processes
) -> Trained:
    options, run, name = kept
    if run.folder is None:
        return train_network(task, plan, None, watch, processes)
    with TrainingFolder(run.folder, name) as folder:
        _prepare(folder, name, options)
        trained = train_network(task, plan, folder, watch, processes)
        if not trained.interrupted:
            folder.clear()
    return trained


def _prepare(folder: TrainingFolder, name: str, options: Options) -> None:
    """Keep the checkpoint to be continued; what another run learned is thrown away only where that is wished.

    Raises
    ------
    OptionError
        If the checkpoint is of another run, and `restart` is not set.
    """
    resume, restart = options.settings.get("resume"), options.settings.get("restart")
    if restart and not resume:
        folder.forget()
        return
    other = folder.other()
    if other is None or other.startswith(name):  # of this run too, with half as many images a step
        return
    if restart:
        folder.forget()
        return
    differs = [part.partition("=")[0] for part in name.split() if part not in other.split()]
    raise OptionError(
        f"resume: the checkpoint in {folder.folder} is of another, interrupted run with other "
        f"{' and '.join(differs) or 'settings'}; give the same as then to continue it, or --restart to "
        "discard it and start again"
    )


def _begun(options: Options) -> Options:
    """For the second attempt of this very run, whose first checkpoint is its own to throw away."""
    if options.settings.get("resume"):
        return options
    return replace(options, settings={**options.settings, "restart": True})


def _is_memory(error: Exception) -> bool:
    """Whether memory ran out: a GPU's has a kind of error of its own, torch's of the computer a sentence."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "allocate memory" in text


def _no_memory(batch: int) -> str:
    return (
        f"training: not enough memory for {batch} images a step; give a smaller --batch-size such as "
        f"{max(1, batch // 2)}, or a smaller --size"
    )


BY_NORM = (
    "typicality: by how small the features are, which tells wrongly answered held-out images better than "
    "their distance from the nearest class"
)


@dataclass(frozen=True)
class CalibratedNetwork(LearnedHead):
    """An exported network with a head whose promises rest on the held-out images."""

    body: onnx.ModelProto = field(kw_only=True)
    """From `pixels` to `features`."""


def calibrated_network(
    network: NetworkClassifier,
    images: Images,
    depths: tuple[tuple[str, int], ...],
    options: Options,
    run: Run,
    shares: FloatArray | None = None,
) -> CalibratedNetwork:
    """Export a trained network and calibrate it on the images held out, as the exported file sees them.

    Parameters
    ----------
    network
        Trained.
    images
        What it was trained on and watched with.
    depths
        Name and width of each part of the features, from early to late.
    options
        The seed.
    run
        Its progress is told.
    shares
        Share of each class that the scores do not hold yet, since training weighed the classes; of shape
        (n_classes,). None: training has seen the classes as often as they come. Of no meaning for tags.
    """
    network = network.cpu().eval()
    content = to_onnx(network.features, "the trained network")
    learn = _sample(images.learn, MOST_LEARNED, options.seed)
    rows = np.concatenate([learn, images.held])
    table = TrainingTable.of(
        _features(content, images.table.images, rows, run.progress),
        _numbers(images, learn),
        np.r_[np.ones(len(learn), np.int64), np.zeros(len(images.held), np.int64)],
    )
    linear = _linear(network.linear)
    scores = linear.scores(table.vectors[len(learn) :])
    classes = len(images.classes) if images.task is Task.SINGLE else table.n_classes
    columns = out_of_distribution.deep_columns(depths)
    directions = out_of_distribution.most_directions(len(learn), classes, len(columns))
    fitted = out_of_distribution.fit(table, columns, np.arange(len(learn)), options.seed, directions)
    distances = fitted.distances_of(table.rows(slice(len(learn), None), columns)).astype(np.float64)
    distance = as_distance(table, fitted, distances)
    by_norm = False
    if images.task is Task.SINGLE and len(depths) == 1:  # a network from scratch
        norm, norms = norm_distance(table.vectors[len(learn) :])
        by_norm = tells_more(norms, distances, scores.argmax(1) == images.numbers[images.held])
        distance, distances = (norm, norms) if by_norm else (distance, distances)
    answers = HeldOutScores(images.table.rows[images.held], images.numbers[images.held], scores, distances)
    if images.task is Task.MULTIPLE:
        head = tag_head(answers, linear, distance)
        head = replace(head, choices=(*head.choices, tags_summary(images.numbers, images.classes)))
    else:
        even = np.full(len(images.classes), 1 / len(images.classes))
        head = label_head(answers, linear, distance, even if shares is None else shares)
        head = replace(head, choices=(*head.choices, *((BY_NORM,) if by_norm else ())))
    return CalibratedNetwork(**vars(head), body=onnx.load_model_from_string(content))


def _linear(layer: nn.Linear) -> Linear:
    weights = layer.weight.detach().cpu().numpy().T.astype(np.float64)
    if layer.bias is None:
        return Linear(weights, np.zeros(weights.shape[1]))
    return Linear(weights, layer.bias.detach().cpu().numpy().astype(np.float64))


def _numbers(images: Images, learn: NDArray[np.int64]) -> NDArray[np.int64]:
    """What typicality takes for classes: those of single labels, or the frequent combinations of tags.

    Only means of images learned from are looked at; those of tags are numbered by these alone.
    """
    if images.task is Task.SINGLE:
        return np.asarray(images.numbers[np.concatenate([learn, images.held])], dtype=np.int64)
    own = combinations(cast(Indicators, images.numbers[learn]))
    return np.concatenate([own, np.zeros(len(images.held), np.int64)])


def _sample(rows: NDArray[np.int64], most: int, seed: int) -> NDArray[np.int64]:
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def _features(
    content: bytes, images: NDArray[np.uint8], rows: NDArray[np.int64], progress: Progress
) -> NDArray[np.float32]:
    session = open_session(content, "the trained network", usable_cores())
    parts = []
    for start in range(0, len(rows), BATCH):
        progress("measuring the trained network", start, len(rows))
        parts.append(session.run(["features"], {"pixels": images[rows[start : start + BATCH]]})[0])
    progress("measuring the trained network", len(rows), len(rows))
    return np.concatenate(parts)
