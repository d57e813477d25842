"""Pillow's own test files, and 20,000 spoilt copies of them: every one is read or refused, in bounds.

The files are not committed (licences of single images vary); they come with Pillow's source distribution,
fetched once by version and hash.
"""

import hashlib
import os
import random
import subprocess
import sys
import tarfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from fieldguide.errors import RefusedInput
from fieldguide.images.decoding import CODES, open_image
from mutation import mutated

pytestmark = pytest.mark.long

SOURCE = "pillow==13.0.0"
SHA256 = "cdcd1ba258178f7356d74170c9a81ba4eab6a5d55748bc402a5a2a6fe6be3510"
MUTATIONS = 21_000
SECONDS = 2.0
MEGABYTES = 300.0
ODD_MODES = {"I;16", "I;16B", "I", "F"}


@pytest.fixture(scope="module")
def corpus(request: pytest.FixtureRequest) -> list[Path]:
    assert request.config.cache is not None
    folder = request.config.cache.mkdir("pillow-corpus")
    archive = folder / "pillow-13.0.0.tar.gz"
    if not archive.exists():
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:", SOURCE]
        subprocess.run([*command, "--dest", str(folder)], check=True, capture_output=True)
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == SHA256
    images = folder / "pillow-13.0.0" / "Tests" / "images"
    if not images.exists():
        with tarfile.open(archive) as tar:
            members = [member for member in tar if "/Tests/images/" in member.name]
            tar.extractall(folder, members, filter="data")
    return sorted(path for path in images.rglob("*") if path.is_file())


def outcome(source: Path | bytes) -> tuple[str, Image.Image | None, float]:
    """What became of a file: ``read`` or the code of its refusal, the image, and the seconds it took."""
    start = time.perf_counter()
    try:
        image = open_image(source)
    except RefusedInput as error:
        return error.code, None, time.perf_counter() - start
    return "read", image, time.perf_counter() - start


def peak_megabytes() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


@pytest.fixture
def memory_limit() -> Iterator[None]:
    """Fail where the process's peak rises by more than is allowed for one file; Linux only."""
    if not os.access("/proc/self/clear_refs", os.W_OK):
        yield
        return
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = peak_megabytes()
    yield
    assert peak_megabytes() - before < MEGABYTES


def test_every_file_of_the_corpus_is_read_or_refused(corpus: list[Path], memory_limit: None) -> None:
    outcomes: Counter[str] = Counter()
    for path in corpus:
        code, _, seconds = outcome(path)
        assert code in {"read", *CODES}, path.name
        assert seconds < SECONDS, path.name
        outcomes[code] += 1
    assert sum(outcomes.values()) == len(corpus) > 1000
    assert outcomes["read"] > 650
    assert outcomes["unsupported_format"] > 250


def reference(path: Path) -> Image.Image | None:
    """What plain Pillow makes of a file, where the two must agree: no transparency, no deep grey."""
    formats = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(path, formats=formats) as image:
                mode = image.mode
                upright = ImageOps.exif_transpose(image)
                return None if mode in ODD_MODES or upright.has_transparency_data else upright.convert("RGB")
        except Exception:
            return None


def test_pixels_and_orientation_agree_with_pillow(corpus: list[Path]) -> None:
    compared = 0
    for path in corpus:
        _, found, _ = outcome(path)
        expected = reference(path) if found is not None else None
        if found is not None and expected is not None:
            assert np.array_equal(np.asarray(found), np.asarray(expected)), path.name
            compared += 1
    assert compared > 400


def test_what_pillow_reads_of_allowed_formats_is_read(corpus: list[Path]) -> None:
    """Refusing everything would pass the other tests."""
    lost = [path.name for path in corpus if outcome(path)[1] is None and reference(path) is not None]
    assert lost == []


def test_mutated_files_are_read_or_refused_in_time_and_memory(corpus: list[Path], memory_limit: None) -> None:
    boring = {"not_an_image", "unsupported_format", "empty"}
    allowed = [path for path in corpus if outcome(path)[0] not in boring]
    chance = random.Random(13)
    outcomes: Counter[str] = Counter()
    for turn in range(MUTATIONS):
        path = allowed[turn % len(allowed)]
        data = mutated(path.read_bytes(), chance.choice(allowed).read_bytes(), chance)
        code, image, seconds = outcome(data)
        assert code in {"read", *CODES}, (turn, path.name)
        assert image is None or (image.mode == "RGB" and min(image.size) > 0), (turn, path.name)
        assert seconds < SECONDS, (turn, path.name)
        outcomes[code] += 1
    assert sum(outcomes.values()) == MUTATIONS
    assert min(outcomes["read"], outcomes["damaged"], outcomes["truncated"]) > 1000
