"""The task of `finetune` as other processes make it; how it learns is tested with the worker."""

import json
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest

from fieldguide.backbones.plain.form import NetworkForm
from fieldguide.backbones.taps import Taps
from fieldguide.backbones.timm_networks.build import create
from fieldguide.backbones.timm_networks.tapped_network import TappedNetwork
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.recipes.finetune.course import Course
from fieldguide.recipes.finetune.shared import described, task_of
from fieldguide.recipes.finetune.task import Hyperparameters
from fieldguide.recipes.networks.shared_images import images_of
from fieldguide.training.augment.pipeline import Augmentation
from fieldguide.training.plan import Plan
from fieldguide.training.processes import TaskDescription

KERAS = NetworkForm("Keras", classes=7)


@pytest.mark.parametrize(
    ("name", "form", "layers", "variants"),
    [
        ("test_efficientnet", None, 1.0, 0),
        ("test_efficientnet", None, 0.4, 2),
        ("mobilenetv2_100", KERAS, 0.4, 2),
    ],
)
def test_a_task_is_made_from_what_json_can_say(name, form, layers, variants):
    pixels, numbers = np.zeros((6, 64, 64, 3), np.uint8), np.arange(6)
    arrays = {"pixels": pixels, "numbers": numbers % 3, "learn": numbers}
    images, taps = images_of(arrays, 3), Taps()
    backbone = SimpleNamespace(timm_name=name, taps=taps, preprocessing=Preprocessing(64), form=form)
    depths = TappedNetwork(create(name, 64).eval(), taps, ((0.5,) * 3, (0.5,) * 3), 64).depths
    features = sum(width for _, width in depths)
    start = SimpleNamespace(backbone=backbone, table=SimpleNamespace(n_features=features))
    way = Hyperparameters(1e-3, 1e-4, 0.9, np.array([1.0, 2.0, 0.5]), Augmentation(flip=0.5))
    told = described(images, start, way, Course(layers, variants, 2), None)
    said = TaskDescription(told.recipe, json.loads(json.dumps(told.facts)), told.arrays)
    task = task_of(said, Plan(images=6, epochs=2, batch_size=3))
    if form is not None:
        network = task.network.body.tapped.network
        assert (network.num_classes, network.bn1.eps) == (7, 1e-3)
    assert task.network.linear.weight.shape == (3, features)
    assert (task.network.body.frozen_steps > 0) is (layers < 1)
    assert [group["lr"] for group in task.optimizer.param_groups][-1] == 1e-4
    assert asdict(way.mixing) == told.facts["way"]["mixing"]
