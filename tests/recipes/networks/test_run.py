"""The run of a recipe that trains step by step: checkpoints, and fewer images a step where memory lacks."""

from dataclasses import replace

import pytest
import torch

from fieldguide.errors import TrainingError
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.networks.run import TrainingLimits, train_with_checkpoints
from small_task import PLAN, Task


class Hungry(Task):
    """Memory suffices for so many images a step."""

    def __init__(self, most, words="CUDA out of memory"):
        super().__init__()
        self.most, self.words = most, words

    def loss(self, network, rows, epoch, generator):
        if len(rows) > self.most:
            raise RuntimeError(self.words)
        return super().loss(network, rows, epoch, generator)


def train(task, again=None, run=Run(), **settings):  # noqa: B008 - frozen
    return train_with_checkpoints(task, PLAN, Options(settings=settings), run, "name", TrainingLimits(again))


@pytest.mark.parametrize(
    "words", ["CUDA out of memory", "can't allocate memory: you tried to allocate a lot"]
)
def test_half_the_batch_is_tried_from_the_same_start(words):
    task = Hungry(8, words)

    def again(plan):
        assert plan == replace(PLAN, batch_size=8)
        fresh = Task()
        fresh.network = task.network
        fresh.optimizer = torch.optim.SGD(task.network.parameters(), lr=0.05, momentum=0.9)
        return fresh

    trained = train(task, again)
    assert trained.notes[0] == "not enough memory for 16 images a step; trained with 8"
    alone = Task()
    train_with_checkpoints(alone, replace(PLAN, batch_size=8), Options(), Run(), "name")
    same = zip(task.network.state_dict().values(), alone.network.state_dict().values(), strict=True)
    assert all(torch.equal(first, second) for first, second in same)


def test_memory_that_lacks_twice_is_an_error_that_says_what_to_do():
    with pytest.raises(
        TrainingError, match="not enough memory for 8 images a step; give a smaller --batch-size such as 4"
    ):
        train(Hungry(4), lambda plan: Hungry(4))
    with pytest.raises(TrainingError, match="not enough memory for 16 images a step"):
        train(Hungry(4))


def test_other_errors_are_not_taken_for_it():
    with pytest.raises(RuntimeError, match="shapes differ"):
        train(Hungry(0, "shapes differ"), lambda plan: Task())


def test_a_folder_is_used_and_left_clean(tmp_path):
    rows = []
    train(Task(), run=Run(folder=tmp_path / "t", report=rows.append))
    assert len(rows) == 5
    assert not (tmp_path / "t").exists()


def test_an_earlier_checkpoint_is_gone_on_with_and_thrown_away_where_that_is_wished(tmp_path):
    class Stopped(Task):
        def set_rates(self, share, at_end_of_pass):
            if round(30 * share) == 20:
                raise ZeroDivisionError
            super().set_rates(share, at_end_of_pass)

    for wish, steps in (({}, 12), ({"resume": True}, 12), ({"restart": True}, 30)):
        with pytest.raises(ZeroDivisionError):
            train(Stopped(), run=Run(folder=tmp_path / "t"))
        task = Task()
        train(task, run=Run(folder=tmp_path / "t"), **wish)
        assert len(task.steps) == steps
