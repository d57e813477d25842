"""What the tests of this folder share."""

import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where weights are kept."""
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def saved(folder):
    """Writes the weights of one of timm's networks, which needs torch: `saved(name)`."""
    from safetensors.torch import save_file

    from plain_made import network

    def save(name):
        path = folder / f"{name}.safetensors"
        if not path.exists():
            save_file(network(name).state_dict(), path)
        return path

    return save
