"""The task of `finetune` for several processes: described by the first, made by the others.

The others build the network without its weights, which they are told, so they need no file of it.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.backbones.plain.form import NetworkForm
from fieldguide.backbones.taps import Taps
from fieldguide.backbones.timm_networks.build import create
from fieldguide.backbones.timm_networks.published import create_published
from fieldguide.backbones.timm_networks.tapped_network import TappedNetwork
from fieldguide.heads.training_table import TrainingTable
from fieldguide.modelfile.graph import Head
from fieldguide.recipes.finetune.cache import ActivationCache
from fieldguide.recipes.finetune.course import Course
from fieldguide.recipes.finetune.layers import Adapted
from fieldguide.recipes.finetune.network import FineTuned
from fieldguide.recipes.finetune.start import Start, source_of
from fieldguide.recipes.finetune.task import FinetuneTask, Hyperparameters
from fieldguide.recipes.networks.images import Images
from fieldguide.recipes.networks.shared_images import arrays_of, images_of, preprocessing_of
from fieldguide.tasks.task import Task
from fieldguide.training.augment.pipeline import Augmentation
from fieldguide.training.plan import Plan
from fieldguide.training.processes import TaskDescription


def described(
    images: Images, start: Start, way: Hyperparameters, course: Course, folder: Path | None
) -> TaskDescription:
    """Describe a task; the weights are told apart.

    Parameters
    ----------
    folder
        Where what frozen layers give may lie if it is too much for memory.
    """
    backbone = start.backbone
    facts = {
        "classes": len(images.classes),
        "preprocessing": asdict(backbone.preprocessing),
        "timm_name": backbone.timm_name,
        "form": None if backbone.form is None else asdict(backbone.form),
        "taps": asdict(backbone.taps),
        "features": start.table.n_features,
        "way": {**asdict(way), "weights": way.weights.tolist(), "task": way.task.value},
        "course": asdict(course),
        "folder": None if folder is None else str(folder),
    }
    return TaskDescription("finetune", facts, arrays_of(images))


def task_of(told: TaskDescription, plan: Plan) -> FinetuneTask:
    """Make the task that was described."""
    facts = told.facts
    images = images_of(told.arrays, facts["classes"])
    course, way = Course.kept(facts["course"]), _way(facts["way"])
    network = FineTuned(Adapted(_untrained(facts), course.layers), *_nothing(facts))
    folder = facts["folder"]
    keep = ActivationCache(way.mixing, course.variants, None if folder is None else Path(folder))
    preprocessing = preprocessing_of(facts["preprocessing"])
    return FinetuneTask(network, source_of(network, images, preprocessing, plan, keep, course), plan, way)


def _way(facts: Mapping[str, Any]) -> Hyperparameters:
    mixing, task = Augmentation(**facts["mixing"]), Task(facts["task"])
    return Hyperparameters(**{**facts, "weights": np.array(facts["weights"]), "mixing": mixing, "task": task})


def _untrained(facts: Mapping[str, Any]) -> TappedNetwork:
    preprocessing = preprocessing_of(facts["preprocessing"])
    name, form = facts["timm_name"], facts["form"]
    network = create_published(name, NetworkForm(**form)) if form else create(name, preprocessing.size)
    told = facts["taps"]
    taps = Taps(**{**told, **{name: tuple(told[name]) for name in ("pooling", "final_pooling")}})
    tapped = TappedNetwork(network.eval(), taps, (preprocessing.mean, preprocessing.std), preprocessing.size)
    return tapped.eval()


def _nothing(facts: Mapping[str, Any]) -> tuple[TrainingTable, Head, NDArray[np.float64]]:
    """A table, a head and priors of the right widths: what they hold is among the weights that are told."""
    features, classes = facts["features"], facts["classes"]
    none = np.zeros(0, np.float32)
    zeros, ones = np.zeros(features, np.float32), np.ones(features, np.float32)
    table = TrainingTable(zeros[None], none.astype(np.int64), none.astype(np.int64), classes, zeros, ones)
    head = Head(
        columns=none.astype(np.int64),
        mean=none,
        scale=none,
        directions=none[:, None],
        evenness=0.0,
        centres=none[None],
        reference=none,
        weights=np.zeros((features, classes), np.float32),
        bias=np.zeros(classes, np.float32),
    )
    return table, head, np.zeros(classes)
