"""How `finetune` learns: class weights, rates, and which epoch is best."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fieldguide.recipes.finetune import task
from fieldguide.tasks.task import Task
from fieldguide.training.augment.pipeline import Augmentation
from fieldguide.training.plan import Plan


def test_how_sure_a_network_is_does_not_decide_which_epoch_is_best(monkeypatch):
    """Smoothed labels make it doubt; calibration takes that back, so it must not count against an epoch."""
    made = task.FinetuneTask.__new__(task.FinetuneTask)
    made._way = task.Hyperparameters(1e-3, 1e-3, 1.0, np.ones(3), Augmentation())
    labels = torch.arange(60) % 3
    scores = 4 * torch.nn.functional.one_hot(labels, 3).double()
    scores[:6] = scores[6:12].roll(1, 1)

    def validated(values):
        monkeypatch.setattr(task.FinetuneTask, "answers", lambda self, network: (values, labels))
        return made.validate(None)

    loss, accuracy = validated(scores)
    assert accuracy == pytest.approx(0.9)
    assert validated(0.1 * scores) == pytest.approx((loss, accuracy), abs=1e-4)
    assert loss < torch.nn.functional.cross_entropy(0.1 * scores, labels)
    assert np.isnan(validated(scores * float("nan"))[0])


def test_class_weights():
    weights = task.class_weights(np.array([0.6, 0.3, 0.1]))
    assert weights @ [0.6, 0.3, 0.1] == pytest.approx(1)
    assert weights[2] / weights[0] == pytest.approx(6**0.5)
    assert task.class_weights(np.array([0.4, 0.6])).tolist() == [1, 1]
    assert task.class_weights(np.array([0.9995, 0.0005]))[1] < 11


def test_what_weights_take_out_of_the_scores_is_told_to_calibration():
    even = task.Hyperparameters(1e-3, 1e-3, 1.0, np.ones(2), Augmentation())
    assert even.shares() is None
    assert "none, since the classes are about equally frequent" in even.summary()
    uneven = task.Hyperparameters(1e-3, 1e-3, 1.0, np.array([0.5, 1.5]), Augmentation())
    assert uneven.shares() == pytest.approx([0.75, 0.25])
    assert "images of the rarest class weigh 3.0 times" in uneven.summary()


class Tuned(torch.nn.Module):
    """A linear network that looks like one that is tuned."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3, 2)

    def groups(self, rate, head_rate, decay, layer_decay):
        return [{"params": [self.linear.weight], "lr": rate}, {"params": [self.linear.bias], "lr": head_rate}]


def test_rates_rise_in_a_line_and_fall_along_a_cosine():
    way = task.Hyperparameters(1e-3, 2e-3, 1.0, np.ones(2), Augmentation())
    source = SimpleNamespace(side=lambda share: 32, see=lambda side: None)
    made = task.FinetuneTask(Tuned(), source, Plan(images=100, epochs=10, batch_size=10), way)
    rates = []
    for step in range(100):
        made.set_rates(step / 100, 1.0)
        rates.append([group["lr"] for group in made.optimizer.param_groups])
    assert rates[0][0] == pytest.approx(1e-4)
    assert np.argmax([rate for rate, _ in rates]) == 10
    assert rates[10] == pytest.approx([1e-3, 2e-3], rel=1e-3)
    assert all(later < sooner for (sooner, _), (later, _) in itertools.pairwise(rates[10:]))
    assert rates[-1][1] < 0.02 * 2e-3


def test_images_of_a_heavier_class_count_more_in_the_loss():
    class Source:
        def learn(self, rows, epoch, generator, device):
            return (torch.zeros(2, 3), torch.zeros(2)), torch.tensor([0, 1])

    plan = Plan(images=10, epochs=1, batch_size=2)
    scores = torch.tensor([[2.0, 0.0], [2.0, 0.0]])
    losses = []
    for weights in ([1.0, 1.0], [0.5, 1.5]):
        way = task.Hyperparameters(1e-3, 1e-3, 1.0, np.array(weights), Augmentation())
        made = task.FinetuneTask(Tuned(), Source(), plan, way)
        losses.append(float(made.loss(lambda *inputs: scores, torch.arange(2), 0, None)))
    right, wrong = torch.nn.functional.cross_entropy(
        scores, torch.tensor([0, 1]), label_smoothing=task.SMOOTHING, reduction="none"
    )
    assert losses == pytest.approx([float(right + wrong) / 2, float(0.5 * right + 1.5 * wrong) / 2])


def tag_task(mixing=None):
    way = task.Hyperparameters(1e-3, 1e-3, 1.0, np.ones(2), mixing or Augmentation(), Task.MULTIPLE)

    class Source:
        def learn(self, rows, epoch, generator, device):
            return (torch.zeros(2, 3, 4, 4),), torch.tensor([[1, -1], [0, 1]], dtype=torch.int8)

    return task.FinetuneTask(Tuned(), Source(), Plan(images=10, epochs=1, batch_size=2), way)


def test_tags_are_learned_by_binary_cross_entropy_and_what_is_not_known_counts_nothing():
    scores = torch.tensor([[0.0, 50.0], [0.0, 0.0]], requires_grad=True)
    loss = tag_task().loss(lambda *inputs: scores, torch.arange(2), 0, None)
    assert float(loss.detach()) == pytest.approx(np.log(2))
    loss.backward()
    assert scores.grad.numpy() == pytest.approx(np.array([[-0.5, 0.0], [0.5, -0.5]]) / 3)


def test_a_mixed_image_has_both_tags_in_part_and_what_is_unknown_of_one_is_of_it():
    scores = torch.zeros(2, 2, requires_grad=True)
    made = tag_task(Augmentation(mixup=1.0))
    made.loss(lambda *inputs: scores, torch.arange(2), 0, torch.Generator().manual_seed(3)).backward()
    assert scores.grad[:, 1].tolist() == [0, 0]
    shares = 0.5 - 2 * scores.grad[:, 0]
    assert float(shares.sum()) == pytest.approx(1)
    assert 0.01 < float(shares[0]) < 0.99


def test_tags_are_validated_as_the_finished_model_will_answer(monkeypatch):
    made = tag_task()
    tags = torch.tensor([[1, 0], [0, 1], [1, 1], [0, -1]] * 10, dtype=torch.int8)
    monkeypatch.setattr(task.FinetuneTask, "answers", lambda self, network: (6.0 * tags - 3, tags))
    loss, measured = made.validate(None)
    assert made.measure == "map"
    assert measured == 1
    assert loss < 0.1
    assert made._way.summary() == "loss: binary cross-entropy, in which every tag counts the same"
