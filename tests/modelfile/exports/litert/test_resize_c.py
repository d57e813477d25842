"""The resize in C is that of Python, bit for bit."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fieldguide.images.preprocessing import Preprocessing
from fieldguide.modelfile.exports import litert

SOURCE = Path(litert.__file__).with_name("resize.c")
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")

pytestmark = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")


@pytest.fixture(scope="module")
def resize(tmp_path_factory):
    library = tmp_path_factory.mktemp("c") / "resize.so"
    strict = [
        "-std=c99",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-O2",
        "-fsanitize=undefined",
        "-fno-sanitize-recover",
    ]
    subprocess.run([COMPILER, *strict, "-shared", "-fPIC", SOURCE, "-o", library, "-lm"], check=True)
    function = ctypes.CDLL(str(library)).fieldguide_resize

    def run(pixels, way):
        square = np.empty((way.size, way.size, 3), np.uint8)
        high, wide, _ = pixels.shape
        bicubic = way.interpolation == "bicubic"
        code = function(
            pixels.ctypes.data_as(ctypes.c_void_p), wide, high, square.ctypes.data_as(ctypes.c_void_p),
            way.size, way.mode == "crop", bicubic,
        )  # fmt: skip
        assert code == 0
        return square

    return run


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (4000, 3), (480, 640), (895, 897), (1283, 979)])
@pytest.mark.parametrize("mode", ["squash", "crop"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_odd_shapes(resize, shape, mode, interpolation):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    way = Preprocessing(56, mode, interpolation)
    np.testing.assert_array_equal(resize(pixels, way), way.resize(Image.fromarray(pixels)))


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 70), st.integers(0, 9))
def test_any_shape(resize, high, wide, size, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (high, wide, 3), dtype=np.uint8)
    way = Preprocessing(size)
    np.testing.assert_array_equal(resize(pixels, way), way.resize(Image.fromarray(pixels)))
