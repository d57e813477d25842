"""What the tests of this folder share."""

import pytest

from layered_model import write_layered_model
from web_opened import browser


@pytest.fixture
def model(tmp_path):
    """A model file with large layers."""
    return write_layered_model(tmp_path / "model.onnx")


@pytest.fixture(scope="module")
def chromium():
    """A browser for the pages of a module."""
    with browser() as started:
        yield started
