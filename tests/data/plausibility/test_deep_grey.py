"""Images of 16 bits that hold fewer."""

import numpy as np
import pytest
from PIL import Image

from fieldguide.data.plausibility.deep_grey import deep_grey_doubt, is_deep


def images(folder, bits, count=6, ending="png"):
    drawn = np.random.default_rng(0)
    paths = []
    for number in range(count):
        values = drawn.integers(2**bits, size=(40, 40)).astype(np.uint16)
        values[0, 0] = 2**bits - 1
        paths.append(str(folder / f"{bits}-{number}.{ending}"))
        Image.fromarray(values).save(paths[-1])
    return paths


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize(("bits", "factor"), [(8, 256), (10, 64), (12, 16), (14, 4)])
def test_every_smaller_range_is_told_with_its_factor(tmp_path, bits, factor, ending):
    doubt = deep_grey_doubt(images(tmp_path, bits, ending=ending))
    assert doubt.code == "deep_grey"
    assert doubt.message.startswith(f"all images looked at are 16-bit files with values of {bits} bits only")
    assert f"by {factor} in all photos" in doubt.message
    assert doubt.grave == (bits <= 10)


def test_one_file_among_others_and_one_alone(tmp_path):
    dark, bright = images(tmp_path, 8, 1), images(tmp_path, 16, 5)
    assert deep_grey_doubt([*bright, *dark]).message.startswith("1 of 6 images looked at")
    assert deep_grey_doubt(dark).message.startswith("all images")
    assert deep_grey_doubt(images(tmp_path, 14, 1)) is None  # one photo may be merely dark


def test_what_is_right_raises_nothing(tmp_path):
    assert deep_grey_doubt(images(tmp_path, 16)) is None
    Image.new("L", (30, 30), 3).save(tmp_path / "dark.png")
    Image.new("RGB", (30, 30), (3, 3, 3)).save(tmp_path / "dark.jpg")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    paths = [str(tmp_path / name) for name in ("dark.png", "dark.jpg", "broken.png", "gone.png")]
    assert deep_grey_doubt(paths) is None
    assert not any(map(is_deep, paths))
    assert deep_grey_doubt([]) is None
