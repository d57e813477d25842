"""Steps at growing rates: reproducible, and over where the loss grows."""

import itertools
import math

import pytest
import torch

from fieldguide.errors import TrainingError
from fieldguide.recipes.rate_sweep import RateSweep
from fieldguide.training.rate_finder import HIGHEST, LOWEST, STEPS, sweep
from small_task import PLAN, Task


def test_the_rates_grow_and_the_one_suggested_lowers_the_loss():
    stages, task = [], Task()
    factors, losses = sweep(task, PLAN, lambda *stage: stages.append(stage))
    assert factors[0] == pytest.approx(LOWEST) and factors[-1] <= HIGHEST * 1.001
    steps = [later / earlier for earlier, later in itertools.pairwise(factors)]
    assert steps == pytest.approx([steps[0]] * len(steps)) and len(losses) == len(factors)
    assert stages[-1] == ("learning rates", STEPS, STEPS)
    found = RateSweep("cnn", 0.05, tuple(0.05 * factor for factor in factors), losses)
    assert found.suggested is not None and 1e-4 < found.suggested < 1


def test_the_same_seed_gives_the_same_losses_and_another_does_not():
    plans = (PLAN, PLAN, PLAN.__class__(**{**vars(PLAN), "seed": 1}))
    first, again, other = (sweep(Task(), plan)[1] for plan in plans)
    assert first == again != other


def test_it_ends_where_the_loss_is_many_times_the_lowest():
    task = Task()
    real = task.loss
    task.loss = lambda *given: real(*given) * (100 if len(task.steps) > 30 else 1)
    assert len(sweep(task, PLAN)[1]) == 30


def test_it_ends_where_the_loss_is_no_number_and_says_so_where_it_never_was_one():
    task = Task()
    task.poison = (20,)
    assert len(sweep(task, PLAN)[1]) == 20
    task = Task()
    task.poison = (0,)
    with pytest.raises(TrainingError, match="find_rate: the loss is not a number before the first step"):
        sweep(task, PLAN)


def test_a_gradient_that_is_no_number_ends_it_without_a_step():
    task = Task()
    weight = task.network[0].weight
    weight.register_hook(lambda gradient: gradient * (math.nan if len(task.steps) > 10 else 1))
    assert len(sweep(task, PLAN)[1]) == 11
    assert torch.isfinite(weight).all()
