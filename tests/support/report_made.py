"""A measurement of made photos for tests of reports, and the parts of a page that is made from it."""

from pathlib import Path

import numpy as np
from PIL import Image

from fieldguide.data.dataset import Dataset
from fieldguide.report.assembly import page_of
from fieldguide.report.gather import Asked, gather
from report_oracle import oracle

CLASSES = ("ant", "bee", "cow", "dog", "eel", "fox")
ASKED = Asked(Path("model.onnx"), Path("photos"))


def photos(folder, names):
    """Small photos under these names; where the system allows no such name, under a number."""
    folder.mkdir(exist_ok=True)
    paths = []
    for number, name in enumerate(names):
        path = folder / name.replace("/", "_").replace("\x00", "_")[:100]
        try:
            path.write_bytes(b"")
        except OSError:
            path = folder / str(number)
        Image.new("RGB", (40, 30), (number % 256, 90, 120)).save(path, format="PNG")
        paths.append(str(path))
    return paths


def material(folder, classes=CLASSES, each=20, asked=ASKED, foreign=None, **changes):
    """A measurement of `each` photos of every class."""
    truth = np.repeat(np.arange(len(classes)), each)
    paths = photos(folder, [f"{number}.png" for number in range(len(truth))])
    images = Dataset(folder, tuple(paths), tuple(classes[number] for number in truth))
    return gather(oracle(classes, truth, **changes), images, asked, foreign=foreign)


def sections(made):
    """The sections of the page by name."""
    return {section.name: section for section in page_of(made).sections}


def blocks(section, kind):
    """The parts of a section that are of a kind."""
    return [block for block in section.blocks if block.kind == kind]
