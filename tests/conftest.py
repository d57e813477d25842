"""What all tests share: a cache folder of their own, and small photos."""

import functools
import importlib.util
import os
import re
from pathlib import Path

# Tests start processes of their own; the threads of all of them would only wait for each other.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import hypothesis
import numpy as np
import pytest
from PIL import Image

# A deadline of 200 ms an example measures the machine and what else runs on it.
hypothesis.settings.register_profile("busy", deadline=None)
hypothesis.settings.load_profile("busy")

HAS_TORCH = importlib.util.find_spec("torch") is not None
NEED_TORCH = (Path(__file__).parent / "needs_torch.txt").read_text().split()
"""Files of tests that need torch; test_torch_free.py has it only get shorter."""
# Without torch these are not collected: .ci/run runs all others in an environment that has none.
collect_ignore = [] if HAS_TORCH else NEED_TORCH

WAITING = re.compile(
    r"subprocess|multiprocessing|threading|import signal|monotonic\(|sleep\(|playwright|browser|web_opened"
    r"|import ray|pseudo_terminal|object_server|server_made|def test_\w+\((?:server|hasty)\b"
)
"""In the text of test files that wait for other processes, threads or a clock."""


def pytest_collection_modifyitems(items):
    """Have tests that wait for others run once more where they fail: a busy machine lets some wait too long.

    The end of the output names each as RERUN. What computes only is never run again.
    """
    waiting = functools.cache(lambda path: bool(WAITING.search(path.read_text())))
    for item in items:
        if waiting(item.path):
            item.add_marker(pytest.mark.flaky(reruns=1, reruns_delay=5))


TINY = ("test_efficientnet", "test_efficientnet_gn", "test_resnet")


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_tests(tmp_path_factory):
    """No test writes to the user's cache; what is exported once serves the whole session."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIELDGUIDE_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def hub_folder(tmp_path_factory):
    """A hub cache that holds some of timm's networks for tests, with random weights."""
    from hub_cache import put_into_hub
    from tiny_backbone import tiny_weights

    folder = tmp_path_factory.mktemp("hub")
    for name in TINY:
        weights = tiny_weights(folder, name)
        put_into_hub(folder, f"timm/{name}.r160_in1k", "model.safetensors", weights)
    return folder


@pytest.fixture
def tiny_hub(hub_folder, monkeypatch):
    """Make the names in `TINY` backbones that are usable without a network."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(hub_folder))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return hub_folder


@pytest.fixture(scope="session")
def paint():
    """Write one of a class's photos, all different: `paint(path, colour, number)`."""

    def write(path, colour, number):
        random = np.random.default_rng([number, *colour])
        coarse = np.clip(np.array(colour) + random.integers(-70, 71, (5, 6, 3)), 0, 255).astype(np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        size = (70 + 3 * (number % 9), 60 + 5 * (number % 7))
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path)
        return path

    return write


@pytest.fixture(scope="session")
def paint_classes(paint):
    """Write class folders: `paint_classes(folder, counts, first)` with images per class in `counts`."""

    def write(folder, counts, first=0):
        for name, count in counts.items():
            for number in range(first, first + count):
                paint(folder / name / f"{number:03}.png", COLOURS[name], number)
        return folder

    return write


@pytest.fixture(scope="session")
def colours(tmp_path_factory):
    """A model file of three colours, to be read only."""
    from tiny_model import write_tiny_model

    return write_tiny_model(tmp_path_factory.mktemp("model") / "colours.onnx")


@pytest.fixture(scope="module")
def server(colours):
    """A server of that model; `server_made` has what to ask it with."""
    from server_made import running

    with running(colours) as server:
        yield server


@pytest.fixture(scope="module")
def hasty(colours):
    """A server with short deadlines."""
    from server_made import running

    with running(colours, read_seconds=0.6, write_seconds=0.6, idle_seconds=1, body_bytes=200_000) as server:
        yield server


COLOURS = {"red": (200, 60, 60), "green": (60, 190, 60), "blue": (60, 60, 200), "grey": (128, 128, 128)}
