"""Results to be shown, made once; one photo's name is hostile."""

import shutil

import matplotlib as mpl
import pytest

import fieldguide

HOSTILE = "<b onclick=x>\x1b[31m.png"


@pytest.fixture(autouse=True)
def no_windows():
    """Plots are drawn into memory and closed again."""
    mpl.use("Agg")
    yield
    from matplotlib import pyplot as plt

    plt.close("all")


@pytest.fixture(scope="session")
def photos(tmp_path_factory, paint_classes):
    """Three classes with a copy under another label, a broken file and a name that is none to trust."""
    folder = paint_classes(tmp_path_factory.mktemp("shown") / "photos", {"red": 12, "green": 12, "blue": 12})
    shutil.copy(folder / "red" / "001.png", folder / "green" / "copy.png")
    shutil.copy(folder / "red" / "001.png", folder / "red" / HOSTILE)
    (folder / "red" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


@pytest.fixture(scope="session")
def data(photos):
    return fieldguide.open_dataset(photos)


@pytest.fixture(scope="session")
def trained(data):
    return fieldguide.train(data, preset="fast")
