"""The training loop: it learns, keeps what is best, goes on where it stopped, and gives up in words."""

import json
import math
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from fieldguide import loop
from fieldguide.checkpoint import TrainingFolder
from fieldguide.errors import OutputError, TrainingError
from fieldguide.loop import MOST_SKIPPED, Plan, Watch, train_network

IMAGES = 96


class Task:
    """Two clouds of points, a small network with dropout and batch norm, noise as augmentation."""

    def __init__(self, rate=0.05):
        torch.manual_seed(1)
        self.labels = torch.arange(IMAGES) % 2
        self.points = torch.randn(IMAGES, 4) + 2 * self.labels[:, None]
        self.network = nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2)
        )
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=rate, momentum=0.9)
        self.rate, self.steps, self.poison, self.worse = rate, [], (), ()

    def loss(self, network, rows, epoch, generator):
        step = len(self.steps)
        self.steps.append(rows.tolist())
        points = self.points[rows] + 0.1 * torch.randn(len(rows), 4, generator=generator)
        loss = nn.functional.cross_entropy(network(points), self.labels[rows])
        return loss * math.nan if step in self.poison else loss

    def set_rates(self, step):
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate / (1 + step / 50)

    def validate(self, network):
        with torch.no_grad():
            logits = network(self.points)
            loss = float(nn.functional.cross_entropy(logits, self.labels))
        accuracy = float((logits.argmax(1) == self.labels).float().mean())
        return (loss + 10 if len(self.steps) in self.worse else loss), accuracy


PLAN = Plan(images=IMAGES, epochs=5, batch_size=16, average=0.9)


def weights(task):
    return {name: value.clone() for name, value in task.network.state_dict().items()}


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


def test_it_learns_and_tells_of_every_epoch():
    rows, stages = [], []
    task = Task()
    trained = train_network(task, PLAN, watch=Watch(lambda *stage: stages.append(stage), rows.append))
    assert trained.history == tuple(rows)
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5]
    assert rows[-1]["train_loss"] < rows[0]["train_loss"]
    assert rows[-1]["validation_accuracy"] > 0.9
    assert rows[-1]["learning_rate"] == pytest.approx(0.05 / (1 + 29 / 50))
    assert stages[-1] == ("training", 30, 30)
    assert not task.network.training


def test_every_image_is_seen_once_an_epoch_in_another_order():
    task = Task()
    train_network(task, PLAN)
    epochs = [[row for rows in task.steps[start : start + 6] for row in rows] for start in range(0, 30, 6)]
    assert all(sorted(epoch) == list(range(IMAGES)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 5


def test_the_same_seed_gives_the_same_weights_and_another_does_not():
    first, again, other = Task(), Task(), Task()
    train_network(first, PLAN)
    train_network(again, PLAN)
    train_network(other, Plan(images=IMAGES, epochs=5, batch_size=16, average=0.9, seed=1))
    assert same(weights(first), weights(again))
    assert not same(weights(first), weights(other))


class KilledError(Exception):
    """Stands for kill -9: nothing is saved on its way out."""


@pytest.mark.parametrize("killed_at", [1, 6, 7, 17, 29])
def test_a_resumed_run_ends_in_the_same_weights(tmp_path, monkeypatch, killed_at):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    whole = Task()
    expected = train_network(whole, PLAN)

    class Killed(Task):
        def set_rates(self, step):
            if step == killed_at:
                raise KilledError
            super().set_rates(step)

    folder = TrainingFolder(tmp_path / "t", "run")
    with folder, pytest.raises(KilledError):
        train_network(Killed(), PLAN, folder)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 60.0)
    resumed = Task()
    with folder:
        trained = train_network(resumed, PLAN, folder)
    assert len(resumed.steps) == 30 - killed_at
    assert same(weights(whole), weights(resumed))
    assert [{**row, "seconds": 0} for row in trained.history] == [
        {**row, "seconds": 0} for row in expected.history
    ]
    assert trained.notes == (f"resumed after step {killed_at}, in epoch {killed_at // 6 + 1}",)


def test_without_a_minute_between_checkpoints_there_is_one_an_epoch(tmp_path):
    saved = []

    class Folder(TrainingFolder):
        def save(self, state):
            saved.append(state["step"])

    with Folder(tmp_path / "t", "run") as folder:
        train_network(Task(), PLAN, folder)
    assert saved == [6, 12, 18, 24, 30]


def test_the_checkpoint_of_another_run_is_not_continued(tmp_path):
    with TrainingFolder(tmp_path / "t", "one") as folder:
        train_network(Task(), PLAN, folder)
        assert not folder.has_other()
    with TrainingFolder(tmp_path / "t", "two") as folder:
        assert folder.load() is None
        assert folder.has_other()


def test_a_damaged_checkpoint_is_started_anew(tmp_path):
    with TrainingFolder(tmp_path / "t", "run") as folder:
        train_network(Task(), PLAN, folder)
        file = tmp_path / "t" / "checkpoint.safetensors"
        file.write_bytes(file.read_bytes()[:-100])
        assert folder.load() is None
        task = Task()
        train_network(task, PLAN, folder)
        assert len(task.steps) == 30


def test_a_second_run_in_the_same_folder_is_refused(tmp_path):
    with (
        TrainingFolder(tmp_path / "t", "run"),
        pytest.raises(OutputError, match="another training run is using it"),
        TrainingFolder(tmp_path / "t", "run"),
    ):
        pass


def test_a_finished_run_leaves_nothing(tmp_path):
    with TrainingFolder(tmp_path / "t", "run") as folder:
        train_network(Task(), PLAN, folder)
        folder.clear()
    assert list(tmp_path.iterdir()) == []


def test_what_is_best_is_kept():
    task = Task()
    task.worse = (18, 24, 30)
    trained = train_network(task, PLAN)
    assert trained.kept_epoch == 2
    short = Task()
    train_network(short, Plan(images=IMAGES, epochs=2, batch_size=16, average=0.9))
    assert same(weights(task), weights(short))


def test_or_what_is_last():
    task = Task()
    task.worse = (18, 24, 30)
    plan = Plan(images=IMAGES, epochs=5, batch_size=16, average=0.9, keep="last")
    assert train_network(task, plan).kept_epoch == 5


def test_patience_ends_it_early():
    task = Task()
    task.worse = (12, 18, 24, 30)
    trained = train_network(task, Plan(images=IMAGES, epochs=5, batch_size=16, average=0.9, patience=2))
    assert (len(trained.history), trained.kept_epoch) == (3, 1)
    assert trained.notes == ("stopped early after epoch 3: no lower validation loss for 2 epochs",)


@pytest.mark.parametrize("interrupted_at", [7, 20])
def test_ctrl_c_keeps_the_best_so_far(tmp_path, interrupted_at):
    class Interrupted(Task):
        def set_rates(self, step):
            if step == interrupted_at:
                raise KeyboardInterrupt
            super().set_rates(step)

    task = Interrupted()
    trained = train_network(task, PLAN)
    assert trained.interrupted
    assert len(trained.history) == interrupted_at // 6
    finished = Task()
    train_network(finished, Plan(images=IMAGES, epochs=interrupted_at // 6, batch_size=16, average=0.9))
    assert same(weights(task), weights(finished))


def test_ctrl_c_before_anything_is_finished_goes_on_up():
    class Interrupted(Task):
        def set_rates(self, step):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_network(Interrupted(), PLAN)


def test_a_step_that_gives_no_number_is_left_out():
    task = Task()
    task.poison = (3, 8)
    trained = train_network(task, PLAN)
    assert all(value.isfinite().all() for value in weights(task).values())
    assert len(trained.history) == 5
    assert all(math.isfinite(row["train_loss"]) for row in trained.history)


def test_many_such_steps_end_training_with_what_was_good():
    task = Task()
    task.poison = range(14, 100)
    trained = train_network(task, PLAN)
    assert len(trained.history) == 3
    assert any("no number" in note for note in trained.notes)
    assert all(value.isfinite().all() for value in weights(task).values())


def test_such_steps_from_the_start_are_an_error():
    task = Task()
    task.poison = range(100)
    with pytest.raises(TrainingError, match=r"the loss is no number.*lower --learning-rate"):
        train_network(task, PLAN)
    assert len(task.steps) == MOST_SKIPPED


def test_bfloat16_learns_too():
    task = Task()
    plan = Plan(images=IMAGES, epochs=5, batch_size=16, precision="bf16-mixed", clip=1.0)
    assert train_network(task, plan).history[-1]["validation_accuracy"] > 0.9


TWO = """
import json, sys
import torch
sys.path.insert(0, sys.argv[1])
from test_loop import IMAGES, PLAN, Task
from fieldguide.loop import train_network
task = Task()
trained = train_network(task, PLAN)
weights = {name: value.tolist() for name, value in task.network.state_dict().items()}
print(json.dumps([weights, len(task.steps[0]), trained.history[-1]["validation_accuracy"]]))
"""


def test_two_processes_share_each_batch_and_end_alike(tmp_path):
    """As torchrun starts them, whose own meeting of processes needs more of a network than tests may ask."""
    script = tmp_path / "two.py"
    script.write_text(TWO)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    told = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0", "ROLE_WORLD_SIZE": "2"}
    told |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "test"}
    told |= {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "GLOO_SOCKET_IFNAME": "lo"}
    ranks = [
        subprocess.Popen(
            [sys.executable, script, Path(__file__).parent],
            env={**os.environ, **told, "RANK": rank, "LOCAL_RANK": rank, "ROLE_RANK": rank},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in ("0", "1")
    ]
    try:
        said = [rank.communicate(timeout=120) for rank in ranks]
    finally:  # one that failed leaves the other waiting
        for rank in ranks:
            rank.kill()
    assert [rank.returncode for rank in ranks] == [0, 0], said
    first, second = (json.loads(output.splitlines()[-1]) for output, _ in said)
    assert first == second
    assert first[1] == 8
    assert first[2] > 0.9
