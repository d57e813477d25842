"""The task of `cnn` for several processes: described by the first, made by the others."""

from dataclasses import asdict

from torch import nn

from fieldguide.errors import OptionError
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.recipes.cnn.task import CnnTask
from fieldguide.recipes.cnn.untrained import network_for
from fieldguide.recipes.common import Options
from fieldguide.recipes.networks.images import Images
from fieldguide.recipes.networks.shared_images import arrays_of, images_of, preprocessing_of
from fieldguide.training.augment.pipeline import Augmentation
from fieldguide.training.plan import Plan
from fieldguide.training.processes import TaskDescription, in_use


def check(options: Options) -> None:
    """Stop before the photos are read where a network cannot be described.

    Raises
    ------
    OptionError
        If it is a module, not a text.
    """
    own, devices = options.settings.get("architecture"), options.settings.get("devices") or 1
    if isinstance(own, nn.Module) and (devices > 1 or not in_use().alone):
        raise OptionError(
            "architecture: with devices other processes make the network anew, so it must be a name such as "
            "'resnet18' or a list of layers; got a module; give a text, or leave devices out"
        )


def described(
    images: Images, preprocessing: Preprocessing, options: Options, learning: tuple[Augmentation, float]
) -> TaskDescription:
    """Describe a task, whose learning is its augmentation and rate; the weights are told apart."""
    augmentation, rate = learning
    facts = {
        "preprocessing": asdict(preprocessing),
        "classes": len(images.classes),
        "preset": options.preset,
        "architecture": options.settings.get("architecture"),
        "augmentation": asdict(augmentation),
        "rate": rate,
    }
    return TaskDescription("cnn", facts, arrays_of(images))


def task_of(told: TaskDescription, plan: Plan) -> CnnTask:
    """Make the task that was described."""
    facts = told.facts
    images = images_of(told.arrays, facts["classes"])
    augmentation = Augmentation(**facts["augmentation"])
    options = Options(preset=facts["preset"], settings={"architecture": facts["architecture"]})
    preprocessing = preprocessing_of(facts["preprocessing"])
    network = network_for(images, preprocessing, options, mirrored=bool(augmentation.flip))
    return CnnTask(network, images, plan, augmentation, facts["rate"])
