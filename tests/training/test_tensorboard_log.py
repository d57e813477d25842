import sys

import pytest

from fieldguide.errors import OptionError
from fieldguide.training.tensorboard_log import event_files


def test_without_tensorboard_its_installation_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(OptionError, match=r"run: pip install tensorboard"), event_files(tmp_path):
        pass


def test_each_row_is_written(tmp_path):
    pytest.importorskip("tensorboard")
    with event_files(tmp_path) as log:
        log({"epoch": 1, "train_loss": 0.5})
    (events,) = tmp_path.iterdir()
    assert b"train_loss" in events.read_bytes()
