"""What the tests of this folder share."""

import numpy as np
import pytest
from PIL import Image

from exports_made import COUNT, MEANS, SIZE
from fieldguide.backbones.export import export


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder of the module's own."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def weights(home):
    """A weights file of a tiny network, which needs torch."""
    from tiny_backbone import tiny_weights

    return tiny_weights(home)


@pytest.fixture
def tiny(weights):
    """That network exported, which needs torch."""
    return export("test_efficientnet", size=SIZE, weights=weights, taps=MEANS)


@pytest.fixture
def empty_hub(tmp_path, monkeypatch):
    """A hub cache with nothing in it, and no network."""
    import huggingface_hub.constants

    folder = tmp_path / "hub"
    folder.mkdir()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return folder


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    """A tiny network exported into a cache of its own, which needs torch."""
    from tiny_backbone import tiny_weights

    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIELDGUIDE_CACHE", str(folder))
        return export("test_efficientnet", size=64, weights=tiny_weights(folder))


@pytest.fixture
def photos(tmp_path):
    """Paths of small pictures that differ in content, size and format."""
    folder = tmp_path / "photos"
    folder.mkdir()
    random = np.random.default_rng(0)
    paths = []
    for i in range(COUNT):
        coarse = random.integers(0, 256, (4, 5, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((80 + 7 * i, 90), Image.Resampling.BICUBIC)
        paths.append(str(folder / f"{i:02}{'.jpg' if i % 2 else '.png'}"))
        image.save(paths[-1])
    return paths
