"""MATLAB files read in a process of its own: numbers as arrays, the rest as JSON, damage as a sentence."""

import json

import numpy as np
import pytest

from fieldguide.data.forms.arrays import matlab_process
from fieldguide.data.forms.arrays.matlab_process import ANSWER, main

savemat = pytest.importorskip("scipy.io", reason="scipy is not installed").savemat


def answer(tmp_path, file, *names):
    assert main([str(file), str(tmp_path), *names]) == 0
    return json.loads((tmp_path / ANSWER).read_text())


def test_numbers_and_structures(tmp_path):
    file = tmp_path / "x.mat"
    savemat(file, {"X": np.arange(6).reshape(2, 3), "s": {"name": "a", "n": 3}, "other": 1})
    assert answer(tmp_path, file, "X", "s", "gone") == {
        "arrays": ["X"],
        "values": {"s": {"name": "a", "n": 3}},
    }
    assert np.load(tmp_path / "X.npy").tolist() == [[0, 1, 2], [3, 4, 5]]


def test_damage_is_a_sentence(tmp_path):
    (tmp_path / "x.mat").write_bytes(b"MATLAB 5.0 MAT-file" + b"\0" * 200)
    assert "get it again" in answer(tmp_path, tmp_path / "x.mat", "X")["error"]


def test_too_many_values_are_refused_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(matlab_process, "MOST_VALUES", 99)
    savemat(tmp_path / "x.mat", {"X": np.zeros((10, 10))})
    assert "at most 99 values, got 100" in answer(tmp_path, tmp_path / "x.mat", "X")["error"]
