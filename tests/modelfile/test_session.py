"""ONNX Runtime sessions, set up in one place."""

import numpy as np
import pytest

from fieldguide.errors import ModelFileError
from fieldguide.modelfile.session import open_session, reason_of
from tiny_model import tiny_model


def test_a_session_computes_on_the_threads_it_was_given():
    session = open_session(tiny_model(), "model.onnx", 2)
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (2, 1)
    (probabilities,) = session.run(["probabilities"], {"image": np.zeros((2, 9, 7, 3), np.uint8)})
    assert probabilities.shape == (2, 3)


def test_a_file_is_opened_as_its_bytes_are(tmp_path):
    (tmp_path / "model.onnx").write_bytes(tiny_model())
    session = open_session(tmp_path / "model.onnx", "model.onnx", 1)
    assert {output.name for output in session.get_outputs()} == {"probabilities", "typicality", "embedding"}


def test_what_cannot_be_loaded_is_named_with_the_version():
    with pytest.raises(ModelFileError, match=r"bad\.onnx: ONNX Runtime \d+\.\d+.* cannot load it: "):
        open_session(b"\x08\x08 no model", "bad.onnx", 1)


def test_a_reason_is_one_short_line():
    assert reason_of(ValueError("first\nsecond")) == "first"
    assert reason_of(ValueError()) == "ValueError"
    assert reason_of(ValueError("x" * 300)) == "x" * 200 + "…"
