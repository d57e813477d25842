"""Several processes that train one network: as one would, unless one of them ends."""

import os
import signal

import pytest
import torch

from fieldguide.errors import OptionError, ProcessEnded
from fieldguide.training import loop
from fieldguide.training.checkpoint import TrainingFolder
from fieldguide.training.devices import Place
from fieldguide.training.local_processes import StartedProcess, local_processes
from fieldguide.training.loop import train_network
from fieldguide.training.plan import Plan
from small_task import IMAGES, Task
from together import described

# Batches of 15 images are shares of 7 and 8.
PLAN = Plan(images=IMAGES, epochs=3, batch_size=15, average=0.9, clip=1.0)
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def two():
    threads = torch.get_num_threads()
    with local_processes(2, "together") as processes:
        yield processes
    assert torch.get_num_threads() == threads


def trained_by(processes, plan=PLAN, folder=None, **facts):
    task = Task(dropout=0.0)
    task.poison = tuple(facts.get("poison", ()))
    processes.told_task(described(task, plan, **facts))
    return task, train_network(task, plan, folder, processes=processes)


def apart(first, second):
    """The largest difference between two tasks' weights and statistics."""
    pairs = zip(first.network.state_dict().values(), second.network.state_dict().values(), strict=True)
    return max(float((own - other).abs().max()) for own, other in pairs)


# First, since a process takes part in one group at a time and the fixture's lasts until the end.
def test_a_process_that_is_killed_ends_the_training_with_a_sentence(tmp_path):
    task, folder = Task(dropout=0.0), TrainingFolder(tmp_path / "t", "run")
    said = r"^training: process 2 of 2 was ended by signal 9 \(SIGKILL\)"
    with folder, pytest.raises(ProcessEnded, match=said), local_processes(2, "together") as processes:
        processes.told_task(described(task, PLAN))
        usual = task.set_rates

        def kill(*given):
            if len(task.steps) == 8:
                os.kill(processes.others[0].number, signal.SIGKILL)
            usual(*given)

        task.set_rates = kill
        train_network(task, PLAN, folder, processes=processes)
    with folder:
        resumed = train_network(Task(dropout=0.0), PLAN, folder)
    assert resumed.notes == ("resumed after step 6, in epoch 2",)


def test_two_processes_give_the_weights_and_statistics_of_one(two):
    alone = Task(dropout=0.0)
    expected = train_network(alone, PLAN)
    task, trained = trained_by(two)
    assert apart(alone, task) < TOLERANCE
    assert [len(rows) for rows in task.steps] == [7] * 18
    for own, other in zip(expected.history, trained.history, strict=True):
        assert own == pytest.approx({**other, "seconds": own["seconds"]}, abs=TOLERANCE)


def test_a_checkpoint_of_one_process_is_continued_by_two(two, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    whole, killed = Task(dropout=0.0), Task(dropout=0.0)
    train_network(whole, PLAN)
    killed.set_rates = lambda *given: Task.set_rates(killed, *given) if len(killed.steps) < 10 else 1 / 0
    with TrainingFolder(tmp_path / "t", "run") as folder, pytest.raises(ZeroDivisionError):
        train_network(killed, PLAN, folder)
    with folder:
        task, trained = trained_by(two, folder=folder)
    assert trained.notes == ("resumed after step 10, in epoch 2",)
    assert apart(whole, task) < TOLERANCE


def test_a_loss_that_is_no_number_in_one_share_is_skipped_by_all(two):
    task, trained = trained_by(two, poison=(3, 4))
    assert len(trained.history) == 3
    assert all(value.isfinite().all() for value in task.network.state_dict().values())
    task.poison = ()
    alone = Task(dropout=0.0)
    alone.poison = (3, 4)
    train_network(alone, PLAN)
    assert apart(alone, task) < TOLERANCE


def test_each_has_its_share_of_the_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        said = "process 2 of 2 ended with exit code 1: ModuleNotFoundError: No module named 'no_such_module'"
        with pytest.raises(ProcessEnded, match=said), local_processes(2, "no_such_module"):
            pass
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)


def test_others_end_with_the_first_however_it_ends(tmp_path):
    process = StartedProcess("together", Place(size=2, rank=1, threads=1), tmp_path / "meeting")
    assert process.wait_until_ready()
    assert not process.ended
    process.let_go()
    process.end(120.0)
    assert process.ended


def test_more_devices_than_gpus_are_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(OptionError, match="devices: must be at most 2, the GPUs of this machine; got 3"):
        Place.on_this_machine(3)
    assert Place.on_this_machine(2) == Place(size=2, local_size=2, on_gpu=True)
