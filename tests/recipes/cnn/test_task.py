"""How `cnn` learns: windows, rates and mirror images."""

import numpy as np
import torch
from torch import nn

from fieldguide.images.preprocessing import Preprocessing
from fieldguide.recipes.cnn.layers import own_network
from fieldguide.recipes.cnn.network import Convolutional
from fieldguide.recipes.cnn.task import CnnTask
from fieldguide.recipes.networks.network import FeatureNetwork, NetworkClassifier
from fieldguide.tasks.task import Task
from fieldguide.training.augment.pipeline import Augmentation
from fieldguide.training.plan import Plan


def seen_sizes(network, epochs):
    """Shapes of what the network is given in each pass."""
    plan = Plan(images=40, epochs=epochs, batch_size=8, average=None)
    images = type("Images", (), {})()
    images.table = type("Table", (), {"images": np.zeros((40, 32, 32, 3), np.uint8)})()
    images.numbers, images.learn, images.held = np.zeros(40, np.int64), np.arange(40), np.arange(0)
    images.task = Task.SINGLE
    task = CnnTask(network, images, plan, Augmentation(), 0.2)
    shapes = []

    def given(mixed):
        shapes.append(tuple(mixed.shape[2:]))
        return network(mixed)

    for epoch in range(epochs):
        task.set_rates(epoch / epochs, (epoch + 1) / epochs)
        task.loss(given, torch.arange(8), epoch, torch.Generator())
    return shapes


def test_the_first_passes_see_a_part_of_each_image_and_the_last_the_whole():
    body = Convolutional((8, 8, 8))
    network = NetworkClassifier(FeatureNetwork(body, Preprocessing(32)), nn.Linear(8, 3))
    assert seen_sizes(network, 10) == [(24, 24)] * 4 + [(28, 28)] * 3 + [(32, 32)] * 3
    assert seen_sizes(network, 1) == [(32, 32)]


def test_a_network_of_a_persons_own_always_sees_whole_images():
    body, width = own_network(nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 4)), 32)
    network = NetworkClassifier(FeatureNetwork(body, Preprocessing(32)), nn.Linear(width, 3))
    assert seen_sizes(network, 5) == [(32, 32)] * 5


def task_of(network, epochs=10, **changes):
    plan = Plan(images=40, epochs=epochs, batch_size=8, average=None)
    images = type("Images", (), {})()
    images.table = type("Table", (), {"images": np.zeros((40, 32, 32, 3), np.uint8)})()
    images.numbers, images.learn, images.held = np.zeros(40, np.int64), np.arange(40), np.arange(0)
    images.task = Task.SINGLE
    return CnnTask(network, images, plan, Augmentation(**changes), 0.2)


def own():
    body, width = own_network(nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 4)), 32)
    return NetworkClassifier(FeatureNetwork(body, Preprocessing(32)), nn.Linear(width, 3))


def test_a_network_of_a_persons_own_learns_by_adamw():
    """Rests on timm's `timm.optim._optim_factory.create_optimizer_v2`; `timm.optim` offers the same function.

    Should timm move it: import it from `timm.optim` in `recipes/cnn/task.py`, or make torch.optim.AdamW
    there, with weight decay for what has two dimensions or more and none for norms and biases.
    """
    optimizer = task_of(own()).optimizer
    assert isinstance(optimizer, torch.optim.AdamW)
    decays = {
        value.ndim > 1: group["weight_decay"] for group in optimizer.param_groups for value in group["params"]
    }
    assert decays == {True: 0.05, False: 0.0}
    assert {group["lr"] for group in optimizer.param_groups} == {0.2}


def test_rates_rise_and_fall_in_straight_lines():
    body = Convolutional((8, 8, 8))
    task = task_of(NetworkClassifier(FeatureNetwork(body, Preprocessing(32)), nn.Linear(8, 3)))
    filters, rest, _ = task.optimizer.param_groups
    rates = []
    for step in range(50):
        task.set_rates(step / 50, 1.0)
        rates.append((filters["lr"], rest["lr"]))
    highest = max(rest for _, rest in rates)
    assert [rest for _, rest in rates].index(highest) == 10
    assert rates[0][1] == 0.2 * highest
    assert [rate for rate, _ in rates] == sorted((rate for rate, _ in rates), reverse=True)
    assert rates[25][0] == rates[0][0] / 2


def test_each_image_is_mirrored_in_every_other_pass():
    task = task_of(own(), flip=0.5)
    pixels = np.arange(40 * 32 * 32 * 3, dtype=np.uint32).astype(np.uint8).reshape(40, 32, 32, 3)
    task._batches._pixels = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    seen = []

    def given(mixed):
        seen.append(mixed.clone())
        return torch.zeros(len(mixed), 3, requires_grad=True)

    for epoch in range(3):
        task.loss(given, torch.arange(40), epoch, torch.Generator())
    torch.testing.assert_close(seen[0].flip(3), seen[1])
    torch.testing.assert_close(seen[0], seen[2])


def test_a_head_learns_each_tag_as_fast_however_many_there_are():
    rates = []
    for count in (2, 200):
        body = Convolutional((8, 8, 8))
        network = NetworkClassifier(FeatureNetwork(body, Preprocessing(32)), nn.Linear(8, count))
        images = type("Images", (), {"task": Task.MULTIPLE, "classes": tuple(map(str, range(count)))})()
        images.table = type("Table", (), {"images": np.zeros((40, 32, 32, 3), np.uint8)})()
        images.numbers, images.learn = np.zeros((40, count), np.int8), np.arange(40)
        images.held = np.arange(0)
        task = CnnTask(network, images, Plan(images=40, epochs=1, batch_size=8), Augmentation(), 0.2)
        filters, rest, _ = task.optimizer.param_groups
        rates.append((filters["lr"], rest["lr"] / count, rest["lr"] * rest["weight_decay"]))
        assert float(task.loss(network, torch.arange(8), 0, torch.Generator()).detach()) > 0
    np.testing.assert_allclose(rates[0], rates[1])
