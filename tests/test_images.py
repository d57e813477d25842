"""Rows 1 to 16 of the fault table: what an image reader must do with good, odd and hostile files."""

import concurrent.futures
import importlib.util
import io
import os
import random
import re
import struct
import subprocess
import sys
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, PngImagePlugin

from fieldguide import images
from fieldguide.errors import RefusedInput
from fieldguide.image_av1 import coded_sizes
from fieldguide.image_containers import read_avif
from fieldguide.image_modes import grey_range
from fieldguide.images import CODES, IMAGE_SUFFIXES, mismatch, open_image, read_bytes

WHITE = (255, 255, 255)


def photo(width: int = 61, height: int = 47) -> Image.Image:
    """A picture with an up, a left, and detail enough for every codec."""
    rows, columns = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(7).integers(0, 40, (height, width))
    planes = (rows * 200 // height + noise, columns * 200 // width, (rows + columns) % 64 * 3)
    return Image.fromarray(np.stack(planes, axis=-1).clip(0, 255).astype(np.uint8))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def refusal(source: object) -> RefusedInput:
    with pytest.raises(RefusedInput) as caught:
        open_image(source)  # type: ignore[arg-type]
    assert caught.value.code in CODES
    return caught.value


def code(source: object) -> str:
    return refusal(source).code


BASES: dict[str, bytes] = {
    "jpeg": saved(photo(), "JPEG", quality=85),
    "jpeg-progressive": saved(photo(), "JPEG", progressive=True),
    "jpeg-grey": saved(photo().convert("L"), "JPEG"),
    "png": saved(photo(), "PNG"),
    "png-palette": saved(photo().quantize(30), "PNG"),
    "gif": saved(photo(), "GIF"),
    "gif-animated": saved(
        photo(), "GIF", save_all=True, append_images=[photo().rotate(9), photo().rotate(20)]
    ),
    "bmp": saved(photo(), "BMP"),
    "tiff": saved(photo(), "TIFF"),
    "tiff-lzw": saved(photo(), "TIFF", compression="tiff_lzw"),
    "tiff-jpeg": saved(photo(), "TIFF", compression="jpeg"),
    "tiff-big": saved(photo(), "TIFF", compression="tiff_adobe_deflate", big_tiff=True),
    "webp": saved(photo(), "WEBP"),
    "webp-lossless": saved(photo(), "WEBP", lossless=True),
    "avif": saved(photo(), "AVIF", speed=10),
}
FORMATS = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "GIF": ".gif",
    "BMP": ".bmp",
    "TIFF": ".tif",
    "WEBP": ".webp",
    "AVIF": ".avif",
}


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 2, rows: bytes = b"") -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + b"".join(chunks)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


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


def test_a_flipped_bit_in_a_png_is_always_found() -> None:
    data = BASES["png"]
    start = data.index(b"IDAT") + 4
    for position in range(start, len(data) - 16, max(1, len(data) // 60)):
        changed = bytearray(data)
        changed[position] ^= 16
        assert code(bytes(changed)) in ("damaged", "truncated")


@pytest.mark.parametrize("source", [b"", "file"])
def test_empty(source: bytes | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", None)
    if isinstance(source, str):
        source = str(tmp_path / "empty.jpg")
        Path(source).touch()
    assert code(source) == "empty"


def mutated(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """One of three ways a file goes wrong: cut short, bits flipped, another file's piece inside."""
    kind = chance.randrange(3)
    if kind == 0:
        return data[: chance.randrange(1, len(data))]
    if kind == 1:
        changed = bytearray(data)
        for _ in range(chance.choice((1, 2, 8, 60))):
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        return bytes(changed)
    start, length = chance.randrange(len(data)), chance.randrange(1, 400)
    piece = chance.randrange(len(other))
    return data[:start] + other[piece : piece + length] + data[start + chance.choice((0, length)) :]


def test_mutated_files_are_read_or_refused_without_a_warning(
    capfd: pytest.CaptureFixture[str],
) -> None:
    chance = random.Random(2)
    names = sorted(BASES)
    outcomes: dict[str, int] = {}
    for turn in range(450):
        data = mutated(BASES[names[turn % len(names)]], BASES[chance.choice(names)], chance)
        start = time.perf_counter()
        try:
            found = "read" if open_image(data).mode == "RGB" else "wrong"
        except RefusedInput as error:
            found = error.code
        assert time.perf_counter() - start < 2
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


# Rows 4, 5, 16: content decides


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("suffix", sorted(set(FORMATS.values())))
def test_content_decides_and_a_wrong_name_is_noted(kind: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"photo{suffix.upper()}"
    path.write_bytes(saved(photo(), kind))
    assert open_image(path).size == (61, 47)
    note = mismatch(str(path), path.read_bytes())
    assert (note is None) == (FORMATS[kind] == suffix)
    assert note is None or (kind in note and suffix in note)


def test_mismatch_says_nothing_of_other_names() -> None:
    assert mismatch("a.photo", BASES["png"]) is None
    assert mismatch("folder.jpg/photo", BASES["png"]) is None
    assert mismatch("a.jpg", b"<html>") is None


OTHER_CONTENT = {
    "web page (HTML)": b"<!DOCTYPE html><html><body>404</body></html>",
    "HTML": b"\n <HTML><head></head></HTML>",
    "JSON": b'{"error": "not found"}',
    "XML": b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    "SVG": b'<?xml version="1.0"?>\n<!-- made by hand -->\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "PDF": b"%PDF-1.7\n",
    "ZIP": b"PK\x03\x04" + bytes(60),
    "program": b"\x7fELF\x02\x01\x01" + bytes(60),
    "text": b"This is not the photo you are looking for.\n",
    "video": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(60),
    "unknown": bytes(range(200, 256)) * 4,
}


@pytest.mark.parametrize("name", OTHER_CONTENT)
def test_other_content_is_not_an_image(name: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(OTHER_CONTENT[name])
    error = refusal(path)
    assert error.code == "not_an_image"
    assert name in error.message


OTHER_FORMATS = {
    "PSD": b"8BPS\0\1" + bytes(40),
    "ICO": saved(photo(32, 32), "ICO"),
    "EPS": saved(photo(), "EPS"),
    "JPEG 2000": saved(photo(), "JPEG2000"),
    "DDS": saved(photo(), "DDS"),
    "PPM": saved(photo(), "PPM"),
    "PCX": saved(photo(), "PCX"),
    "SGI": saved(photo(), "SGI"),
    "TGA": saved(photo(), "TGA"),
    "ICNS": saved(photo(32, 32), "ICNS"),
    "FITS": b"SIMPLE  =                    T" + bytes(60),
    "JPEG XL": b"\xff\x0a" + bytes(40),
    "WMF": b"\xd7\xcd\xc6\x9a" + bytes(60),
    "BLP": b"BLP2" + bytes(60),
    "QOI": saved(photo(), "QOI"),
    "DICOM": bytes(128) + b"DICM" + bytes(20),
    "CR2": b"II*\0\x10\0\0\0CR\x02\0" + bytes(60),
}


@pytest.mark.parametrize("name", OTHER_FORMATS)
def test_other_formats_are_named_but_not_decoded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", None)
    error = refusal(OTHER_FORMATS[name])
    assert error.code == "unsupported_format"
    assert name in error.message
    assert "JPEG, PNG, WebP" in error.message


# Row 6: bombs


def riff(body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def gif(width: int, height: int, frame: tuple[int, int, int, int]) -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return screen + b"," + struct.pack("<HHHHB", *frame, 0) + b"\x02\x02\x4c\x01\x00;"


def tiff(width: int, height: int) -> bytes:
    tags = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 5),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
    ]
    tags += [(277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, 8)]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<I", 16) + bytes(8) + struct.pack("<H", len(tags)) + entries + bytes(4)


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

MEASURE = """
import resource, sys, time
from fieldguide.images import open_image
from fieldguide.errors import RefusedInput
open_image(open(sys.argv[1], "rb").read())
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[2:]:
    before, seconds = peak(), []
    for _ in range(3):
        start = time.process_time()
        try:
            open_image(path)
            code = "read"
        except RefusedInput as error:
            code = error.code
        seconds.append(time.process_time() - start)
    print(code, peak() - before, min(seconds))
"""


def measured(folder: Path, files: dict[str, bytes]) -> dict[str, tuple[str, float, float]]:
    """Code, extra megabytes and processor seconds (least of three: others may load the machine) of each file.

    They are opened one by one in a fresh process.
    """
    paths = []
    for name, data in {"warm": BASES["png"], **files}.items():
        paths.append(folder / name)
        paths[-1].write_bytes(data)
    done = subprocess.run([sys.executable, "-c", MEASURE, *paths], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    lines = (line.split() for line in done.stdout.splitlines())
    return {
        name: (found, int(extra) / 1024, float(seconds))
        for name, (found, extra, seconds) in zip(files, lines, strict=True)
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


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory in kilobytes is how Linux counts")
def test_an_avif_that_lies_about_its_size_is_refused_before_decoding(tmp_path: Path) -> None:
    """The decoder allocates what the AV1 stream says, and only then is the lie found out."""
    width, height = 5000, 4400
    honest = saved(Image.new("RGB", (width, height)), "AVIF", speed=10)
    described = struct.pack(">II", width, height)
    assert honest.count(described) == 1
    lying = honest.replace(described, struct.pack(">II", 61, 47))
    found, megabytes, seconds = measured(tmp_path, {"avif": lying})["avif"]
    assert found == "too_many_pixels"
    assert megabytes < 5
    assert seconds < 0.1


@pytest.mark.parametrize("options", [{}, {"save_all": True, "append_images": [photo()]}])
def test_an_av1_stream_says_its_size(options: dict[str, object]) -> None:
    """A single picture has the short form of the sequence header, an animation the long one."""
    data = saved(photo(), "AVIF", **options)
    lying = data.replace(b"ispe" + struct.pack(">III", 0, 61, 47), b"ispe" + struct.pack(">III", 0, 40, 30))
    assert lying != data
    for described in (data, lying):
        header = read_avif(described)
        assert (header.width, header.height) == (61, 47)


def test_an_av1_header_with_everything_in_it() -> None:
    """After section 5.5.1 of the AV1 specification, field by field."""
    fields = [
        *("000", "0", "0"),  # profile, still picture, reduced
        *("1", "0" * 31 + "1", "0" * 31 + "1", "1", "00101"),  # timing, equal pictures
        *("1", "00100", "0" * 32, "00000", "00000"),  # decoder model: delays of 5 bits
        *("1", "00001"),  # display delays are told; two operating points
        *("0" * 12, "01000", "0", "1", "0" * 5, "1" * 5, "0", "1", "0011"),
        *("0" * 12, "00111", "0", "0"),
        *("1011", "0111", f"{2999:012b}", f"{199:08b}"),
    ]
    bits = "".join(fields)
    packed = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    item = b"\x12\0" + b"\x0a" + bytes([len(packed)]) + packed
    locations = bytes([0, 0, 0, 0, 0x44, 0]) + struct.pack(">HHHHII", 1, 1, 0, 1, 8, len(item))
    meta = struct.pack(">I4sI", 20 + len(locations), b"meta", 0)
    meta += struct.pack(">I4s", 8 + len(locations), b"iloc") + locations
    assert coded_sizes(bytes(8) + item, meta) == [(3000, 200)]


@pytest.mark.parametrize(
    "locations",
    [
        bytes([2, 0, 0, 0, 0, 0]) + b"\xff\xff\xff\xff" + b"\xff" * 4_000_000,
        bytes([0, 0, 0, 0, 0x44, 0]) + struct.pack(">HHHH", 1, 1, 0, 50_000) + bytes(400_000),
        bytes([0, 0, 0, 0, 0x44, 0]) + b"\xea\x60" + struct.pack(">HHHII", 1, 0, 1, 0, 0) * 60_000,
    ],
    ids=["extents without end", "extents that overlap", "items that overlap"],
)
def test_an_avif_that_would_take_long_to_follow_is_refused(locations: bytes) -> None:
    meta = struct.pack(">I4sI", 20 + len(locations), b"meta", 0)
    meta += struct.pack(">I4s", 8 + len(locations), b"iloc") + locations
    seconds = []
    for _ in range(3):
        start = time.process_time()
        with pytest.raises(RefusedInput) as caught:
            coded_sizes(b"\x12\0" * 10 + meta, meta)
        assert caught.value.code == "bomb"
        seconds.append(time.process_time() - start)
    assert min(seconds) < 1


def test_a_bomb_decoded_by_plain_pillow_is_no_error() -> None:
    """The negative control: 80 million pixels in a file of 80 kB pass Pillow's own check, not this one."""
    data = png(10_000, 8_000, colour=0, rows=bytes(10_001 * 8_000))
    assert len(data) < 100_000
    assert Image.open(io.BytesIO(data)).size == (10_000, 8_000)
    assert code(data) == "too_many_pixels"


def test_a_progressive_jpeg_of_endless_scans_is_refused() -> None:
    data = bytearray(BASES["jpeg-progressive"])
    frame = data.index(b"\xff\xc2")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 4000, 4000)
    last = data.rindex(b"\xff\xda")
    scans = bytes(data[last:-2]) * 100
    assert code(bytes(data[:last]) + scans + b"\xff\xd9") == "bomb"


def test_run_length_bmp_is_small_or_refused() -> None:
    def run_length(side: int, code: bytes) -> bytes:
        header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, 0, 0, 0, 256, 0)
        colours = bytes(range(256)) * 4
        return b"BM" + struct.pack("<III", 0, 0, 54 + 1024) + header + colours + code + bytes(16)

    assert open_image(run_length(40, b"\x28\x05\0\0" * 40 + b"\0\1")).size == (40, 40)
    assert code(run_length(4000, b"\0\0" * 40)) == "too_many_pixels"
    assert code(run_length(40, b"\0\0" * 1_100_000)) == "bomb"


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
    monkeypatch.setattr(images, "MAX_PIXELS", 100)
    assert code(np.zeros((11, 10), np.uint8)) == "too_many_pixels"
    assert code(Image.new("RGB", (11, 10))) == "too_many_pixels"
    assert open_image(Image.new("RGB", (10, 10))).size == (10, 10)


# Row 8: metadata


def packed_text(name: bytes, size: int) -> bytes:
    body = zlib.compress(bytes(size), 9)
    if name == b"iTXt":
        return chunk(name, b"Comment\0\1\0en\0\0" + body)
    return chunk(name, b"Comment\0\0" + body)


ROWS = bytes(1 + 3 * 4) * 4


@pytest.mark.parametrize(("name", "size"), [(b"zTXt", 2 << 20), (b"iTXt", 90 << 20), (b"iCCP", 90 << 20)])
def test_compressed_metadata_that_unfolds_is_refused(name: bytes, size: int) -> None:
    assert code(png(4, 4, packed_text(name, size), rows=ROWS)) == "bomb"
    assert open_image(png(4, 4, packed_text(name, 1000), rows=ROWS)).size == (4, 4)


def test_many_small_bombs_and_many_small_chunks_are_refused() -> None:
    assert code(png(4, 4, *[packed_text(b"zTXt", 1 << 20)] * 40, rows=ROWS)) == "bomb"
    assert code(png(4, 4, chunk(b"abCd", b"") * 110_000, rows=ROWS)) == "bomb"


def test_an_exif_directory_that_points_at_itself_ends() -> None:
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", 2)
    block += (
        struct.pack("<HHII", 0x0112, 3, 1, 6) + struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    )
    assert open_image(saved(photo(), "JPEG", exif=b"Exif\0\0" + block)).size == (47, 61)


@pytest.mark.parametrize(
    "block", [b"", b"II", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0nonsense"]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_broken_exif_is_neither_fatal_nor_a_warning(block: bytes, kind: str) -> None:
    marked = saved(photo(), kind, exif=exif(6))
    assert open_image(marked).size == (47, 61)
    data = marked.replace(exif(6).removeprefix(b"Exif\0\0"), block.ljust(len(exif(6)) - 6, b"\xff"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if data.startswith(b"\x89PNG"):
            data = png_with(b"eXIf", block)
        assert sorted(open_image(data).size) == [47, 61]


def png_with(name: bytes, body: bytes) -> bytes:
    return BASES["png"][:33] + chunk(name, body) + BASES["png"][33:]


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
    start = time.perf_counter()
    assert open_image(data).size == (8, 8)
    assert time.perf_counter() - start < 0.1
    pages = saved(photo(), "TIFF", save_all=True, append_images=[photo()] * 3)
    assert open_image(pages).size == (61, 47)


def test_multi_picture_jpeg_opens_as_its_first_picture() -> None:
    data = saved(photo(), "MPO", save_all=True, append_images=[photo().rotate(90)])
    assert np.array_equal(
        np.asarray(open_image(data)), np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    )


# Rows 10 to 12: modes


def test_cmyk_jpeg_has_the_colours_it_was_made_of() -> None:
    solid = Image.new("RGB", (32, 32), (200, 40, 90))
    for subtract in (solid.convert("CMYK"), solid.convert("YCbCr")):
        found = np.asarray(open_image(saved(subtract, "JPEG", quality=95))).reshape(-1, 3).mean(axis=0)
        assert np.abs(found - (200, 40, 90)).max() < 4


def test_cmyk_is_inverted_with_and_without_the_adobe_mark() -> None:
    data = saved(Image.new("RGB", (32, 32), (200, 40, 90)).convert("CMYK"), "JPEG", quality=95)
    start = data.index(b"\xff\xee")
    bare = data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4], "big") :]
    assert b"Adobe" not in bare
    assert np.array_equal(np.asarray(open_image(data)), np.asarray(open_image(bare)))


# Ink of CMYK, 0 to 255, and its sRGB by a colour profile: "Artifex CMYK SWOP Profile" (default_cmyk.icc of
# Debian's libgs-common 10.0.0, SHA-256 8472fa14...1fd1b9a9), LittleCMS through Pillow's ImageCms, relative
# colorimetric with black point compensation. The first ten are the main colours of scikit-learn's two sample
# photos, separated with the same profile; then paper, and the inks alone, which no screen shows as they are.
INK_OF_PHOTOS = {
    (199, 149, 184, 198): (14, 32, 23),
    (89, 62, 80, 0): (170, 176, 169),
    (113, 108, 172, 33): (138, 126, 93),
    (44, 223, 255, 17): (194, 67, 39),
    (53, 27, 11, 0): (198, 212, 228),
    (232, 135, 156, 113): (10, 69, 70),
    (136, 132, 203, 93): (96, 86, 56),
    (30, 106, 175, 0): (223, 158, 99),
    (151, 160, 196, 168): (55, 45, 31),
    (15, 7, 2, 0): (236, 241, 248),
    (0, 0, 0, 0): (255, 255, 255),
}
INK_ALONE = {
    (255, 0, 0, 0): (0, 174, 239),
    (0, 255, 0, 0): (236, 0, 140),
    (0, 0, 255, 0): (255, 242, 0),
    (0, 0, 0, 255): (35, 31, 32),
    (255, 255, 0, 0): (46, 48, 146),
}


def off_the_profile(
    inks: dict[tuple[int, ...], tuple[int, ...]], kind: str, invert: bool = False
) -> NDArray[np.float64]:
    """By how much each channel of each ink, in a file of its own, is read otherwise than the profile says."""
    found = []
    for ink in inks:
        image = Image.new("CMYK", (16, 16), tuple(255 - part if invert else part for part in ink))
        options = {"quality": 95} if kind == "JPEG" else {}
        found.append(np.asarray(open_image(saved(image, kind, **options))).reshape(-1, 3).mean(axis=0))
    return np.abs(np.array(found) - np.array(list(inks.values())))


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk_is_near_what_a_colour_profile_makes_of_it(kind: str) -> None:
    off = off_the_profile(INK_OF_PHOTOS, kind)
    assert off.max() < 42
    assert off.mean() < 13
    assert off_the_profile(INK_ALONE, kind).max() < 116
    inverted = off_the_profile(INK_OF_PHOTOS, kind, invert=True)
    assert inverted.mean() > 100, "taking ink for light must not pass"


def levels(data: bytes) -> int:
    return len(np.unique(np.asarray(open_image(data))))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(kind: str) -> None:
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    data = saved(Image.fromarray(ramp), kind)
    assert levels(data) == 256
    found = np.asarray(open_image(data))[..., 0].ravel()
    assert (found[0], found[-1]) == (0, 255)
    assert np.all(np.diff(found.astype(int)) >= 0)
    naive = Image.open(io.BytesIO(data)).convert("RGB")
    assert len(np.unique(np.asarray(naive)[..., 0])) == 256
    assert (np.asarray(naive) == 255).mean() > 0.9, "the negative control: plain Pillow turns the ramp white"


def grey_tiff(order: str, bits: int, pixels: bytes) -> bytes:
    """An uncompressed grey TIFF of 256 x 256 pixels."""
    tags = {256: 256, 257: 256, 258: bits, 259: 1, 262: 1, 273: 8, 277: 1, 278: 256, 279: len(pixels)}
    # Of type LONG throughout, which readers allow.
    entries = b"".join(struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in tags.items())
    start = b"II*\0" if order == "<" else b"MM\0*"
    directory = struct.pack(order + "H", len(tags)) + entries + bytes(4)
    return start + struct.pack(order + "I", 8 + len(pixels)) + pixels + directory


def test_big_endian_and_twelve_bit_tiff() -> None:
    assert levels(grey_tiff(">", 16, np.arange(65536, dtype=">u2").tobytes())) == 256
    twelve = np.arange(65536) // 16
    pairs = twelve[::2] << 12 | twelve[1::2]
    packed = np.stack([pairs >> 16, pairs >> 8 & 255, pairs & 255], axis=-1).astype(np.uint8)
    assert levels(grey_tiff("<", 12, packed.tobytes())) == 256


@pytest.mark.parametrize("top", [1.0, 255.0, 65535.0])
def test_float_and_integer_grey_keep_their_levels(top: float) -> None:
    ramp = np.linspace(0, top, 1024, dtype=np.float32).reshape(32, 32)
    assert levels(saved(Image.fromarray(ramp), "TIFF")) >= 250
    if top > 1:
        assert levels(saved(Image.fromarray(ramp.astype(np.int32)), "TIFF")) >= 250


def test_odd_float_grey_is_stretched_and_never_fatal() -> None:
    odd = np.array([[-5, 0, 5], [np.nan, np.inf, -np.inf]], dtype=np.float32)
    found = np.asarray(open_image(Image.fromarray(odd)))[..., 0]
    assert found.tolist() == [[0, 128, 255], [0, 255, 0]]
    assert grey_range(Image.fromarray(np.full((2, 2), np.nan, np.float32))) == (0.0, 1.0)
    assert open_image(Image.fromarray(np.full((3, 3), -7.0, np.float32))).getpixel((0, 0)) == (0, 0, 0)


def test_lab() -> None:
    found = np.asarray(open_image(saved(photo().convert("LAB"), "TIFF"))).astype(int)
    assert np.abs(found - np.asarray(photo())).mean() < 4


CLEAR = {
    "RGBA": Image.new("RGBA", (5, 5), (10, 20, 30, 0)),
    "LA": Image.new("LA", (5, 5), (10, 0)),
    "half": Image.new("RGBA", (5, 5), (0, 0, 0, 127)),
}


def test_transparency_is_composited_on_white() -> None:
    assert open_image(saved(CLEAR["RGBA"], "PNG")).getpixel((2, 2)) == WHITE
    assert open_image(saved(CLEAR["LA"], "PNG")).getpixel((2, 2)) == WHITE
    assert open_image(saved(CLEAR["half"], "PNG")).getpixel((2, 2)) == (128, 128, 128)
    assert open_image(saved(CLEAR["RGBA"], "WEBP", lossless=True)).getpixel((2, 2)) == WHITE
    assert Image.open(io.BytesIO(saved(CLEAR["RGBA"], "PNG"))).convert("RGB").getpixel((2, 2)) != WHITE


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_transparent_colour_of_a_palette(kind: str) -> None:
    image = photo().quantize(8)
    image.putpixel((3, 3), 5)
    found = open_image(saved(image, kind, transparency=5))
    assert found.getpixel((3, 3)) == WHITE


def test_transparent_colour_of_grey_rgb_and_deep_grey() -> None:
    assert open_image(saved(Image.new("L", (3, 3), 7), "PNG", transparency=7)).getpixel((0, 0)) == WHITE
    red = saved(Image.new("RGB", (3, 3), (255, 0, 0)), "PNG", transparency=(255, 0, 0))
    assert open_image(red).getpixel((0, 0)) == WHITE
    deep = saved(Image.new("I;16", (3, 3), 700), "PNG", transparency=700)
    assert open_image(deep).getpixel((0, 0)) == WHITE


MODES = "1 L P RGB RGBA LA PA CMYK YCbCr HSV LAB I F I;16 I;16B RGBX RGBa La"


@pytest.mark.parametrize("mode", MODES.split())
def test_every_mode_of_pillow_becomes_rgb(mode: str) -> None:
    assert open_image(Image.new(mode, (7, 5))).mode == "RGB"


def test_bands_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = photo().convert("RGBA")
    picture.putalpha(photo().convert("L"))
    for orientation in range(1, 9):
        data = saved(picture, "PNG", exif=exif(orientation))
        whole = np.asarray(open_image(data))
        monkeypatch.setattr("fieldguide.image_modes.BAND_PIXELS", 61 * 5)
        assert np.array_equal(np.asarray(open_image(data)), whole)
        monkeypatch.undo()


# Rows 13 and 14: orientation and colour profiles


def exif(orientation: int) -> bytes:
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


def laid(image: Image.Image, orientation: int) -> Image.Image:
    """The pixels that a camera held this way would store: the inverse of turning upright."""
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    return image if orientation == 1 else image.transpose(Image.Transpose(undo[orientation]))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_all_orientations_give_the_same_pixels(kind: str, orientation: int) -> None:
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    data = saved(laid(photo(), orientation), kind, exif=exif(orientation), **options)
    assert np.array_equal(np.asarray(open_image(data)), np.asarray(photo()))


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
    monkeypatch.setattr("fieldguide.image_modes.BAND_PIXELS", 61 * 5)
    data = saved(photo(), "JPEG", quality=90, exif=exif(orientation))
    plain = open_image(data)
    turns = []
    real = images.turned_by_file
    monkeypatch.setattr(images, "turned_by_file", lambda *given: turns.append(given) or real(*given))
    monkeypatch.setattr(images, "MAX_DECODING_BYTES", len(data) + 61 * 47 * 6)  # one fits, two do not
    found = open_image(data)
    assert len(turns) == 1
    assert found.size == plain.size
    assert np.array_equal(np.asarray(found), np.asarray(plain))


def test_large_images_that_find_no_room_for_turning_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    data = saved(photo(), "JPEG", exif=exif(6))
    monkeypatch.setattr(images, "MAX_DECODING_BYTES", len(data) + 61 * 47 * 6)
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
    images._has_plugin.cache_clear()
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pillow_heif" else real(name)
    )
    error = refusal(data)
    images._has_plugin.cache_clear()
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
    monkeypatch.setattr(images, "MAX_FILE_BYTES", 100)
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


def test_suffixes() -> None:
    assert {
        ".jpg",
        ".jpeg",
        ".png",
        ".webp",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".avif",
        ".heic",
    } <= IMAGE_SUFFIXES
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in IMAGE_SUFFIXES)


def test_the_page_lists_exactly_the_codes() -> None:
    page = (Path(__file__).parent.parent / "docs" / "images.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", page, flags=re.M))
    assert rows == CODES
