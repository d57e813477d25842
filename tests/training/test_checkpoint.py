"""Where an interrupted run goes on: one file, replaced whole, of the same run alone."""

import pytest
import torch
from filelock import FileLock

from fieldguide.errors import OutputError
from fieldguide.training.checkpoint import TrainingFolder
from fieldguide.training.loop import train_network
from small_task import PLAN, Task


def test_the_checkpoint_of_another_run_is_not_continued(tmp_path):
    with TrainingFolder(tmp_path / "t", "one") as folder:
        train_network(Task(), PLAN, folder)
        assert folder.other() is None
    with TrainingFolder(tmp_path / "t", "two") as folder:
        assert folder.load() is None
        assert folder.other() == "one"


def test_a_damaged_checkpoint_is_started_anew(tmp_path):
    with TrainingFolder(tmp_path / "t", "run") as folder:
        train_network(Task(), PLAN, folder)
        file = tmp_path / "t" / "checkpoint"
        file.write_bytes(file.read_bytes()[:-100])
        assert folder.load() is None
        task = Task()
        train_network(task, PLAN, folder)
        assert len(task.steps) == 30


def test_a_second_run_in_the_same_folder_is_refused(tmp_path):
    with (
        TrainingFolder(tmp_path / "t", "run") as first,
        pytest.raises(OutputError, match="another training run is using it"),
        TrainingFolder(tmp_path / "t", "run"),
    ):
        pass
    with first:  # the refusal has not taken the lock, nor the end of the first kept it
        assert first.load() is None


def test_a_second_run_is_refused_at_once(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(FileLock, "acquire", lambda self, timeout: asked.append(timeout))
    with TrainingFolder(tmp_path / "t", "run"):
        pass
    assert asked == [0]


def test_a_finished_run_leaves_nothing(tmp_path):
    with TrainingFolder(tmp_path / "t", "run") as folder:
        train_network(Task(), PLAN, folder)
        (tmp_path / "t" / "decided-1").write_text("{}")
        folder.clear()
        folder.forget()  # of what is gone already
    assert list(tmp_path.iterdir()) == []


def test_a_state_comes_back_with_its_kinds(tmp_path):
    shared = torch.arange(6.0).reshape(2, 3)
    state = {
        "step": 7,
        "weights": {"a": shared, "b": shared[0]},
        "optimizer": {0: {"momentum": torch.ones(2)}, 1: None},
        "history": [{"epoch": 1, "loss": 0.5}],
        "done": True,
    }
    with TrainingFolder(tmp_path / "t", "run") as folder:
        folder.save(state)
        found = folder.load()
    assert torch.equal(found["weights"]["a"], shared) and torch.equal(found["weights"]["b"], shared[0])
    assert torch.equal(found["optimizer"][0]["momentum"], torch.ones(2))
    assert found["optimizer"][1] is None
    assert (found["step"], found["history"], found["done"]) == (7, state["history"], True)


def test_without_a_checkpoint_there_is_none_and_other_files_stay(tmp_path):
    with TrainingFolder(tmp_path / "t", "run") as folder:
        assert folder.load() is None and folder.other() is None
        (tmp_path / "t" / "mine.txt").write_text("x")
        folder.clear()
    assert [path.name for path in (tmp_path / "t").iterdir()] == ["mine.txt"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match=r"cannot be used for checkpoints .*; give another --out"),
        TrainingFolder(tmp_path / "file" / "t", "run"),
    ):
        pass
