"""What other processes do in tests of training together: small tasks whose descriptions are only settings."""

import dataclasses

import torch

from fieldguide.recipes.networks.worker import TASKS, begun
from fieldguide.training.loop import train_network
from fieldguide.training.plan import Plan
from fieldguide.training.processes import TaskDescription
from small_task import Task


def described(task, plan, **facts):
    """A description of a `small_task.Task`, or of a recipe's task whose `TaskDescription` is given."""
    own = task if isinstance(task, TaskDescription) else TaskDescription("small", {}, {})
    return dataclasses.replace(own, facts={**own.facts, **facts, "plan": dataclasses.asdict(plan)})


def plain(task, rate):
    """The task with plain gradient descent, which neither hides nor blows up what gradients differ by."""
    task.optimizer = torch.optim.SGD(task.network.parameters(), lr=rate, momentum=0.9)
    task.set_rates = lambda share, at_end_of_pass: None
    return task


def work(place, meeting):
    """Work on small tasks, and on those of recipes with plain gradient descent."""
    processes = begun(place, meeting)
    while (told := processes.told_task(None)) is not None:
        plan = Plan(**told.facts["plan"])
        if told.recipe == "small":
            task = Task(dropout=0.0)
            task.poison = tuple(told.facts.get("poison", ()))
        else:
            task = plain(TASKS[told.recipe](told, plan), told.facts["sgd"])
        train_network(task, plan, processes=processes)
