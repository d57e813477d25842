"""What the tests of this folder share."""

import pytest

from layered_model import write_layered_model


@pytest.fixture
def model(tmp_path):
    """A model file with large layers."""
    return write_layered_model(tmp_path / "model.onnx")
