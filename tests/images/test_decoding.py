"""Rows 1 to 16 of the fault table: what an image reader must do with good, odd and hostile files."""

import concurrent.futures
import importlib.util
import io
import os
import random
import re
import struct
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps, PngImagePlugin

from fieldguide.errors import RefusedInput
from fieldguide.images import decoding
from fieldguide.images.decoding import CODES, open_image, read_bytes
from fieldguide.images.jpeg import read_jpeg
from images_made import (
    BASES,
    WHITE,
    code,
    exif,
    gif,
    measured,
    photo,
    png,
    refusal,
    saved,
    tiff,
)
from mutation import mutated

# What is read


@pytest.mark.parametrize("name", BASES)
def test_pixels_are_those_of_pillow(name: str) -> None:
    expected = Image.open(io.BytesIO(BASES[name])).convert("RGB")
    found = open_image(BASES[name])
    assert found.mode == "RGB"
    assert found.info == {}
    assert np.array_equal(np.asarray(found), np.asarray(expected))


def test_every_kind_of_source_gives_the_same_image(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(BASES["png"])
    pixels = np.asarray(photo())
    for source in (path, str(path), BASES["png"], bytearray(BASES["png"]), photo(), pixels, Image.open(path)):
        assert np.array_equal(np.asarray(open_image(source)), pixels)  # type: ignore[arg-type]


def test_a_pillow_image_given_is_left_as_it_was() -> None:
    given = Image.open(io.BytesIO(saved(photo(), "JPEG", exif=exif(6))))
    found = open_image(given)
    assert found.size == (47, 61)
    assert given.size == (61, 47)
    assert "exif" in given.info
    found.putpixel((0, 0), (1, 2, 3))
    plain = photo()
    open_image(plain).putpixel((0, 0), (1, 2, 3))
    assert plain.getpixel((0, 0)) == photo().getpixel((0, 0))


def test_arrays_grey_and_with_alpha() -> None:
    grey = np.asarray(photo().convert("L"))
    assert np.array_equal(np.asarray(open_image(grey)), np.repeat(grey[..., None], 3, axis=2))
    assert open_image(np.zeros((4, 5, 4), np.uint8)).getpixel((0, 0)) == WHITE
    turned = np.asarray(photo())[::-1, ::-1]
    assert np.array_equal(np.asarray(open_image(turned)), turned)


@pytest.mark.parametrize(
    "source",
    [
        None,
        7,
        3.5,
        ["a.jpg"],
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros(4, np.uint8),
    ],
    ids=lambda source: getattr(source, "dtype", type(source).__name__),
)
def test_other_sources_are_refused_with_what_is_allowed(source: object) -> None:
    error = refusal(source)
    assert error.code == "wrong_type"
    assert "uint8" in error.message


# Rows 1 to 3: cut, empty and changed files


def cuts(data: bytes) -> list[int]:
    ends = [len(data) * percent // 100 for percent in range(5, 100, 5)]
    return sorted({end for end in (*ends, len(data) - 1, len(data) - 2, len(data) - 3) if end > 0})


@pytest.mark.parametrize("name", BASES)
def test_a_cut_file_is_truncated(name: str) -> None:
    data = BASES[name]
    assert {end: code(data[:end]) for end in cuts(data)} == dict.fromkeys(cuts(data), "truncated")


@pytest.mark.parametrize(("name", "lost"), [("png", 3), ("gif", 1)])
def test_plain_pillow_takes_some_cut_files_for_whole(name: str, lost: int) -> None:
    """The negative control of the row above: these pass a reader that only decodes."""
    Image.open(io.BytesIO(BASES[name][:-lost])).convert("RGB")
    assert code(BASES[name][:-lost]) == "truncated"


def test_cut_files_stay_refused_where_pillow_may_fill_them_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    for name in ("jpeg", "png", "gif", "tiff-lzw", "webp", "bmp"):
        assert code(BASES[name][: len(BASES[name]) // 2]) == "truncated"


@pytest.mark.parametrize("name", ["jpeg", "jpeg-progressive", "gif", "png"])
def test_padding_behind_a_whole_file_does_no_harm(name: str) -> None:
    assert open_image(BASES[name] + bytes(500)).size == (61, 47)


@pytest.mark.parametrize("source", [b"", "file"])
def test_empty(source: bytes | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", None)
    if isinstance(source, str):
        source = str(tmp_path / "empty.jpg")
        Path(source).touch()
    assert code(source) == "empty"


def test_mutated_files_are_read_or_refused_without_a_warning(
    capfd: pytest.CaptureFixture[str],
) -> None:
    chance = random.Random(2)
    names = sorted(BASES)
    outcomes: dict[str, int] = {}
    for turn in range(450):
        data = mutated(BASES[names[turn % len(names)]], BASES[chance.choice(names)], chance)
        start = time.thread_time()
        try:
            found = "read" if open_image(data).mode == "RGB" else "wrong"
        except RefusedInput as error:
            found = error.code
        assert time.thread_time() - start < 2
        outcomes[found] = outcomes.get(found, 0) + 1
    assert sum(outcomes.values()) == 450
    assert set(outcomes) <= {"read", *CODES}
    assert min(outcomes["read"], outcomes["truncated"], outcomes["damaged"]) > 20
    printed = capfd.readouterr()
    assert printed.out == ""
    # libtiff, a C library, writes a line of its own for each damaged TIFF; Python must not.
    assert not re.search("Warning|Traceback|Exception", printed.err)


def test_whatever_a_decoder_raises_becomes_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (
        MemoryError(),
        SystemError("x"),
        struct.error("x"),
        RecursionError(),
        KeyError("x"),
        AssertionError(),
    ):

        def explode(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(Image, "open", explode)
        assert code(BASES["png"]) == "damaged"


# Row 6: bombs


def riff(body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def jpeg_of(width: int, height: int) -> bytes:
    data = bytearray(BASES["jpeg"])
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def avif_of(width: int, height: int) -> bytes:
    return BASES["avif"].replace(struct.pack(">II", 61, 47), struct.pack(">II", width, height))


BOMBS = {
    "png": png(20_000, 20_000, rows=bytes(400_000)),
    "png-grey": png(50_000, 10_000, colour=0, rows=bytes(400_000)),
    "webp": riff(b"VP8X" + struct.pack("<II", 10, 0) + b"\xff\x3f\0\xff\x3f\0"),
    "webp-lossless": riff(b"VP8L" + struct.pack("<I", 8) + b"\x2f\xff\xff\xff\x0f" + bytes(30)),
    "gif": gif(65535, 65535, (0, 0, 1, 1)),
    "gif-frame": gif(10, 10, (0, 0, 65535, 65535)),
    "tiff": tiff(60_000, 60_000),
    "jpeg": jpeg_of(65_000, 65_000),
    "avif": avif_of(30_000, 30_000),
    "bmp": b"BM" + struct.pack("<IIIIiiHHI", 0, 0, 54, 40, 50_000, 50_000, 1, 8, 1) + bytes(60),
}


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory in kilobytes is how Linux counts")
def test_bombs_are_refused_from_the_header_alone(tmp_path: Path) -> None:
    for name, (found, megabytes, seconds) in measured(tmp_path, BOMBS).items():
        assert (name, found) == (name, "too_many_pixels")
        assert megabytes < 50, name
        assert seconds < 0.1, name


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory in kilobytes is how Linux counts")
def test_the_largest_images_that_are_read_stay_within_memory_and_time(tmp_path: Path) -> None:
    large = Image.new("RGB", (5400, 5400), (200, 30, 90))
    files = {
        "jpeg": saved(Image.new("RGB", (8900, 7000), (9, 99, 199)), "JPEG"),
        "rotated": saved(Image.new("RGB", (8900, 7000), (9, 99, 199)), "JPEG", exif=exif(6)),
        "progressive": saved(large, "JPEG", progressive=True),
        "alpha": saved(large.convert("RGBA"), "PNG", compress_level=1),
        "deep": saved(large.convert("I;16"), "PNG", compress_level=1),
        "webp": saved(large.crop((0, 0, 4000, 4000)), "WEBP", lossless=True, method=0),
    }
    for name, (found, megabytes, seconds) in measured(tmp_path, files).items():
        assert (name, found) == (name, "read")
        assert megabytes < 300, name
        assert seconds < 2, name


def test_a_bomb_decoded_by_plain_pillow_is_no_error() -> None:
    """The negative control: 80 million pixels in a file of 80 kB pass Pillow's own check, not this one."""
    data = png(10_000, 8_000, colour=0, rows=bytes(10_001 * 8_000))
    assert len(data) < 100_000
    assert Image.open(io.BytesIO(data)).size == (10_000, 8_000)
    assert code(data) == "too_many_pixels"


# Row 7: sizes


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 65535), (65535, 1)])
@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF"])
def test_any_ratio_is_read(width: int, height: int, kind: str) -> None:
    found = open_image(saved(Image.new("RGB", (width, height), (255, 0, 0)), kind))
    assert found.size == (width, height)
    assert found.getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize(
    "data",
    [png(0, 5), png(5, 0), gif(0, 0, (0, 0, 0, 0)), tiff(0, 9), tiff(9, 0), jpeg_of(0, 9), avif_of(0, 0)],
    ids=["png-width", "png-height", "gif", "tiff-width", "tiff-height", "jpeg", "avif"],
)
def test_zero_is_refused(data: bytes) -> None:
    assert code(data) == "no_pixels"


def test_arrays_and_pillow_images_obey_the_same_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert code(np.zeros((0, 5, 3), np.uint8)) == "no_pixels"
    monkeypatch.setattr(decoding, "MAX_PIXELS", 100)
    assert code(np.zeros((11, 10), np.uint8)) == "too_many_pixels"
    assert code(Image.new("RGB", (11, 10))) == "too_many_pixels"
    assert open_image(Image.new("RGB", (10, 10))).size == (10, 10)


@pytest.mark.parametrize(
    ("given", "cost"),
    [
        (Image.new("RGB", (10, 10)), 4),
        (Image.new("L", (10, 10)), 1 + 4),
        (Image.new("RGBA", (10, 10)), 4 + 4),
        (np.zeros((10, 10), np.uint8), 8),
    ],
    ids=["finished", "grey", "alpha", "array"],
)
def test_memory_for_what_is_given_is_counted_to_the_byte(
    given: object, cost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "MAX_DECODING_BYTES", 100 * cost)
    assert open_image(given).size == (10, 10)  # type: ignore[arg-type]
    monkeypatch.setattr(decoding, "MAX_DECODING_BYTES", 100 * cost - 1)
    assert code(given) == "too_many_pixels"


# Row 9: animations


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_first_frame_is_read(kind: str) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {"quality": 100} if kind == "AVIF" else {}
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert np.abs(np.asarray(open_image(data)).astype(int) - (255, 0, 0)).max() <= 3


def test_frames_are_never_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GIF of 20,000 frames takes Pillow a second to count."""

    def counted(_: object) -> int:
        raise AssertionError("n_frames was asked for")

    monkeypatch.setattr("PIL.GifImagePlugin.GifImageFile.n_frames", property(counted))
    monkeypatch.setattr("PIL.TiffImagePlugin.TiffImageFile.n_frames", property(counted))
    single = saved(Image.new("P", (8, 8)), "GIF")
    frame = single[single.index(b",\0\0\0\0") : -1]
    data = single[:-1] + frame * 20_000 + b";"
    start = time.thread_time()
    assert open_image(data).size == (8, 8)
    assert time.thread_time() - start < 0.1
    pages = saved(photo(), "TIFF", save_all=True, append_images=[photo()] * 3)
    assert open_image(pages).size == (61, 47)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "AVIF"])
def test_orientation_agrees_with_pillow(kind: str, orientation: int) -> None:
    data = saved(photo(), kind, exif=exif(orientation))
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    assert np.array_equal(np.asarray(open_image(data)), np.asarray(expected))
    assert expected.size == ((47, 61) if orientation >= 5 else (61, 47))


@pytest.mark.parametrize("orientation", range(2, 9))
def test_large_images_are_turned_by_file_to_the_same_pixels(
    orientation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fieldguide.images.modes.BAND_PIXELS", 61 * 5)
    data = saved(photo(), "JPEG", quality=90, exif=exif(orientation))
    plain = open_image(data)
    turns = []
    real = decoding.turned_by_file
    monkeypatch.setattr(decoding, "turned_by_file", lambda *given: turns.append(given) or real(*given))
    monkeypatch.setattr(decoding, "MAX_DECODING_BYTES", len(data) + 61 * 47 * 6)  # one fits, two do not
    found = open_image(data)
    assert len(turns) == 1
    assert found.size == plain.size
    assert np.array_equal(np.asarray(found), np.asarray(plain))


def test_images_are_turned_by_file_only_where_two_find_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(photo(), "JPEG", exif=exif(6))
    header = read_jpeg(data)
    held = len(header.payload) + int(61 * 47 * header.unscaled_bytes)
    turns = []
    real = decoding.turned_by_file
    monkeypatch.setattr(decoding, "turned_by_file", lambda *given: turns.append(given) or real(*given))
    for spare, expected in ((0, 0), (-1, 1)):
        monkeypatch.setattr(decoding, "MAX_DECODING_BYTES", held + 61 * 47 * 8 + spare)
        assert open_image(data).size == (47, 61)
        assert len(turns) == expected


def test_large_images_that_find_no_room_for_turning_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    data = saved(photo(), "JPEG", exif=exif(6))
    monkeypatch.setattr(decoding, "MAX_DECODING_BYTES", len(data) + 61 * 47 * 6)
    monkeypatch.setattr("tempfile.TemporaryFile", full)
    assert code(data) == "too_many_pixels"
    assert "temporary file" in refusal(data).message
    upright = open_image(saved(photo(), "JPEG"))
    assert upright.size == (61, 47)


def test_orientation_in_xmp_and_in_raw_profiles() -> None:
    packet = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    assert open_image(saved(photo(), "JPEG", xmp=packet)).size == (47, 61)
    assert open_image(saved(photo(), "WEBP", xmp=packet)).size == (47, 61)
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet.decode(), zip=True)
    assert open_image(saved(photo(), "PNG", pnginfo=info)).size == (47, 61)
    info = PngImagePlugin.PngInfo()
    info.add_text("Raw profile type exif", f"\nexif\n{len(exif(6)):8}\n{exif(6).hex()}\n", zip=True)
    assert open_image(saved(photo(), "PNG", pnginfo=info)).size == (47, 61)


@pytest.mark.parametrize(
    "profile", [b"broken", bytes(3 << 20), os.urandom(200)], ids=["broken", "huge", "random"]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_colour_profiles_are_ignored(kind: str, profile: bytes) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    plain = np.asarray(open_image(saved(photo(), kind, **options)))
    assert np.array_equal(np.asarray(open_image(saved(photo(), kind, icc_profile=profile, **options))), plain)


# Row 15: HEIC


def heic() -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    pillow_heif.from_pillow(photo(64, 48)).save(file, quality=90)
    return file.getvalue()


def test_heic_is_read_with_the_plugin() -> None:
    found = np.asarray(open_image(heic())).astype(int)
    assert np.abs(found - np.asarray(photo(64, 48))).mean() < 12


def test_heic_without_the_plugin_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)
    decoding._has_plugin.cache_clear()
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pillow_heif" else real(name)
    )
    error = refusal(data)
    decoding._has_plugin.cache_clear()
    assert error.code == "plugin_missing"
    assert "pillow-heif" in error.message


# Files


def test_paths_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert code(tmp_path / "none.jpg") == "missing"
    assert code(tmp_path / "none.jpg" / "deeper.jpg") == "missing"
    assert code("nul\0.jpg") == "missing"
    assert code(tmp_path) == "not_a_file"
    assert code(tmp_path / "pipe.jpg") == "not_a_file"
    assert code("/dev/zero") == "not_a_file"
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    assert code(tmp_path / "loop.jpg") == "unreadable"
    monkeypatch.setattr(decoding, "MAX_FILE_BYTES", 100)
    (tmp_path / "large.png").write_bytes(BASES["png"])
    assert code(tmp_path / "large.png") == "too_large"
    assert code(BASES["png"]) == "too_large"


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to become another user"
)
def test_a_file_without_rights_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(BASES["png"])
    path.chmod(0)
    reader = os.fork()
    if reader == 0:
        os.setgid(65534)
        os.setuid(65534)
        try:
            # The folders above belong to root alone, so both ways of being refused are seen.
            read_bytes(path)
        except RefusedInput as error:
            os._exit(10 if error.code == "unreadable" else 11)
        os._exit(12)
    assert os.waitstatus_to_exitcode(os.waitpid(reader, 0)[1]) == 10


def test_read_bytes(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"odd \xff\n.png")
    path.write_bytes(BASES["png"])
    assert read_bytes(path) == BASES["png"]


# Promises to the other modules


def test_threads_read_what_one_thread_reads_and_leave_the_warning_filters_alone() -> None:
    sources = [BASES[name] for name in sorted(BASES)] * 6
    filters = list(warnings.filters)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = [image.tobytes() for image in pool.map(open_image, sources)]
    assert found == [open_image(source).tobytes() for source in sources]
    assert list(warnings.filters) == filters


def test_the_page_lists_exactly_the_codes() -> None:
    page = (Path(__file__).parents[2] / "docs" / "images.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", page, flags=re.M))
    assert rows == CODES
