"""How training is told while it goes on."""

import sys

import pytest

from fieldguide.commands.shared.history import reporter
from fieldguide.errors import OptionError

ROW = {
    "epoch": 2,
    "train_loss": 0.5,
    "validation_loss": 0.25,
    "validation_accuracy": 0.875,
    "learning_rate": 0.001,
    "seconds": 3.6,
}


def test_each_epoch_is_told_with_the_course_so_far(capsys):
    with reporter(None) as report:
        report({**ROW, "epoch": 1, "validation_loss": 0.5})
        report(ROW)
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("epoch 1") and " ▁ " in first
    assert second.startswith("epoch 2") and " █▁ " in second


def test_without_tensorboard_the_command_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    told = r"--tensorboard: needs tensorboard, .*; run: pip install"
    with pytest.raises(OptionError, match=told), reporter(tmp_path):
        pass
