"""What the tests of this folder share."""

import pytest

from tiny_model import write_tiny_model


@pytest.fixture
def path(tmp_path):
    """A model file that may be replaced."""
    return write_tiny_model(tmp_path / "colours.onnx")
