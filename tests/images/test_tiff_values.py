"""TIFFs of values that Pillow does not know, as tifffile writes them, and microscopes' channels."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest

from fieldguide.errors import RefusedInput
from fieldguide.images import tiff_values
from fieldguide.images.decoding import bits_of, open_image
from fieldguide.images.tiff_directory import Directory, Tag, first_offset, layout_of, read_directory
from fieldguide.images.tiff_page import WANTED
from images_made import photo, refusal, saved

tifffile = pytest.importorskip("tifffile", reason="the extra microscopy is not installed")
RAMP = np.linspace(0, 1, 40 * 30).reshape(30, 40)


def written(array: np.ndarray, **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, array, **options)
    return file.getvalue()


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(open_image(data)).astype(int)


LAYOUTS = [
    {},
    {"compression": "zlib"},
    {"compression": "zlib", "predictor": 2},
    {"byteorder": ">"},
    {"bigtiff": True, "compression": "zlib"},
    {"tile": (16, 16)},
    {"rowsperstrip": 7, "compression": "zlib"},
]


@pytest.mark.parametrize("kind", ["float64", "float16", "int8", "int32", "uint32", "uint64", "int64"])
@pytest.mark.parametrize("options", LAYOUTS[:1] + LAYOUTS[3:])
def test_grey_of_any_type_spans_black_to_white(kind: str, options: dict[str, Any]) -> None:
    top = 1.0 if kind.startswith("float") else 255.0 if kind != "int8" else 127.0
    low = -128.0 if kind == "int8" else 0.0
    array = (low + RAMP * (top - low)).astype(kind)
    found = pixels(written(array, photometric="minisblack", **options))
    assert (found == found[..., :1]).all()
    assert np.abs(found[..., 0] - RAMP * 255).max() <= 2


@pytest.mark.parametrize("options", LAYOUTS)
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_channels_in_one_page_become_red_green_blue(options: dict[str, Any], planar: str) -> None:
    array = np.zeros((5, 30, 40), np.uint16)
    for channel in range(3):
        array[channel] = 257 * (10 * channel + (RAMP * 200).astype(np.uint16))
    data = written(
        array if planar == "separate" else np.moveaxis(array, 0, -1),
        photometric="minisblack",
        planarconfig=planar,
        **options,
    )
    expected = np.stack([10 * channel + (RAMP * 200).astype(int) for channel in range(3)], axis=-1)
    assert np.array_equal(pixels(data), expected)
    assert bits_of(data) == 16


def test_colour_of_floats_keeps_its_proportions() -> None:
    array = np.stack([RAMP, RAMP / 2, RAMP / 4], axis=-1)
    found = pixels(written(array.astype(np.float64), photometric="rgb"))
    assert np.abs(found - array * 255).max() <= 1


@pytest.mark.parametrize("options", LAYOUTS)
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_colour_of_sixteen_bits_is_the_same_in_every_layout(options: dict[str, Any], planar: str) -> None:
    array = np.random.default_rng(1).integers(0, 65536, (30, 40, 3)).astype(np.uint16)
    given = np.ascontiguousarray(np.moveaxis(array, -1, 0)) if planar == "separate" else array
    data = written(given, photometric="rgb", planarconfig=planar, **options)
    assert np.array_equal(pixels(data), array >> 8)


def test_white_is_zero_is_inverted() -> None:
    array = (RAMP * 2**40).astype(np.uint64)
    straight = pixels(written(array, photometric="minisblack"))
    turned = pixels(written(array, photometric="miniswhite"))
    assert np.abs(straight + turned - 255).max() <= 1


@pytest.mark.parametrize(
    ("kind", "axes"),
    [
        ("ome", "CYX"),
        ("ome", "ZCYX"),
        ("ome", "CZYX"),
        ("ome", "TCZYX"),
        ("imagej", "CYX"),
        ("imagej", "ZCYX"),
    ],
)
def test_channels_of_microscopes_are_put_together(kind: str, axes: str) -> None:
    shape = [{"C": 3, "Z": 2, "T": 2, "Y": 30, "X": 40}[axis] for axis in axes]
    array = np.full(shape, 60_000, np.uint16)
    for channel in range(3):
        place: list[Any] = [0] * (len(axes) - 2)
        place[axes.index("C")] = channel
        array[tuple(place)] = 257 * (channel * 20 + (RAMP * 150).astype(np.uint16))
    options: dict[str, Any] = {"ome": True, "metadata": {"axes": axes}}
    if kind == "imagej":
        options = {"imagej": True, "metadata": {"axes": axes}}
    expected = np.stack([20 * channel + (RAMP * 150).astype(int) for channel in range(3)], axis=-1)
    assert np.array_equal(pixels(written(array, photometric="minisblack", **options)), expected)


def test_stated_bits_and_colours_are_used() -> None:
    array = np.stack([RAMP * 4095, RAMP * 0]).astype(np.uint16)
    metadata = {"axes": "CYX", "SignificantBits": 12, "Channel": {"Color": [16711935, -1]}}
    data = written(array, photometric="minisblack", ome=True, metadata=metadata)
    found = pixels(data)
    assert bits_of(data) == 12
    assert found[..., 1].max() == 255
    assert found[..., 0].max() == found[..., 2].max() == 0


def test_channels_of_odd_values_need_tifffile_page_by_page() -> None:
    array = np.stack([RAMP, 1 - RAMP]).astype(np.float64)
    found = pixels(written(array, photometric="minisblack", ome=True, metadata={"axes": "CYX"}))
    assert np.abs(found[..., :2] - np.moveaxis(array, 0, -1) * 255).max() <= 1


def test_one_channel_alone_and_pages_that_are_elsewhere_give_the_first_page() -> None:
    array = np.stack([RAMP * 65535, RAMP * 0]).astype(np.uint16)
    data = written(array, photometric="minisblack", ome=True, metadata={"axes": "ZYX"})
    assert np.abs(pixels(data)[..., 0] - RAMP * 255).max() <= 1
    lacking = written(array[:1], photometric="minisblack", ome=True, metadata={"axes": "CYX"})
    lacking = lacking.replace(b'SizeC="1"', b'SizeC="3"')
    assert np.abs(pixels(lacking)[..., 0] - RAMP * 255).max() <= 1


ODD = written(RAMP.astype(np.float64), photometric="minisblack", compression="zlib")


def test_without_tifffile_the_refusal_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff_values.importlib.util, "find_spec", lambda _: None)
    error = refusal(ODD)
    assert error.code == "plugin_missing"
    assert "pip install 'tifffile" in error.message
    # What Pillow reads needs no package.
    array = np.stack([RAMP, RAMP]).astype(np.float32)
    data = written(array, photometric="minisblack", ome=True, metadata={"axes": "CYX"})
    assert open_image(data).size == (40, 30)


def tag_changed(data: bytes, tag: int, value: int) -> bytes:
    at = next(at for kind in (3, 4) if (at := data.find(struct.pack("<HHI", tag, kind, 1))) >= 0)
    return data[: at + 8] + struct.pack("<I", value) + data[at + 12 :]


@pytest.mark.parametrize(
    ("data", "code", "told"),
    [
        (
            tag_changed(ODD, 259, 5),
            "unsupported_format",
            "compression 5; save it uncompressed or with Deflate",
        ),
        (ODD[:-40], "truncated", "ends too early"),
        (written(np.zeros((8, 8, 17)), planarconfig="contig"), "damaged", "claims 17 values a pixel"),
    ],
)
def test_what_is_not_read_is_named(data: bytes, code: str, told: str) -> None:
    error = refusal(data)
    assert (error.code, told in error.message) == (code, True), error


def test_floats_with_a_predictor_are_refused_by_name() -> None:
    at = ODD.index(struct.pack("<HHI", 339, 3, 1))
    assert refusal(ODD[:at] + struct.pack("<HHIHH", 317, 3, 1, 3, 0) + ODD[at + 12 :]).code in (
        "unsupported_format",
        "damaged",
    )


def test_a_strip_unfolds_to_no_more_than_is_stated() -> None:
    bomb = zlib.compress(bytes(50_000_000), 9)
    assert len(tiff_values._unfolded(bomb, 800)) == 800
    with pytest.raises(RefusedInput, match="ends too early"):
        tiff_values._unfolded(zlib.compress(bytes(100)), 101)
    with pytest.raises(RefusedInput, match="cannot be unfolded"):
        tiff_values._unfolded(b"no zlib at all", 10)


def test_too_many_pixels_are_refused_before_anything_is_unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff_values, "decode_values", None)
    data = tag_changed(
        written(np.zeros((1, 4, 4)), photometric="minisblack", compression="zlib"), 256, 60_000_000
    )
    assert refusal(data).code in ("too_many_pixels", "damaged")


def directory(**values: Any) -> Directory:
    """One by hand: `t256=5` is tag 256; grey, 40 x 30 pixels of 64-bit floats where nothing else is said."""
    merged = {"t256": 40, "t257": 30, "t258": 64, "t339": 3, **values}
    pairs = {int(name[1:]): value if isinstance(value, tuple) else (value,) for name, value in merged.items()}
    return Directory({number: Tag(4, len(value), b"", value) for number, value in pairs.items()}, 0)


@pytest.mark.parametrize(
    ("values", "needed"),
    [
        ({}, True),
        ({"t256": 0}, False),
        ({"t257": 0}, False),
        ({"t258": 12, "t339": 1}, False),
        ({"t262": 5}, False),
        ({"t258": (64, 32), "t277": 2}, False),
        ({"t258": (64, 64), "t339": (3, 1), "t277": 2}, False),
        ({"t258": (8, 8), "t339": 1, "t277": 2}, True),
    ],
)
def test_only_a_layout_that_makes_sense_is_left_to_tifffile(values: dict[str, Any], needed: bool) -> None:
    assert tiff_values.needs_tifffile(b"nothing that Pillow reads", directory(**values)) is needed


def test_what_pillow_reads_is_left_to_it() -> None:
    grey = photo().convert("LA")
    for image in (grey, grey.convert("L"), photo()):
        data = saved(image, "TIFF")
        layout = layout_of(data)
        page = read_directory(data, layout, first_offset(data, layout), WANTED)
        assert not tiff_values.needs_tifffile(data, page)
    assert not tiff_values.needs_tifffile(saved(photo().convert("L"), "TIFF"), directory(t258=8, t339=1))


def test_bytes_of_a_pixel_follow_samples_and_their_type() -> None:
    def needed(bits: int, kind: int, samples: int) -> float:
        return tiff_values.values_decoder_bytes(directory(t258=bits, t339=kind, t277=samples))

    assert needed(8, 1, 3) == 3 * 3 + 13
    assert needed(16, 1, 5) == 5 * 6 + 13
    assert needed(64, 3, 1) == 3 * 8 + 4 + 13


def test_a_value_beyond_the_stated_white_is_white() -> None:
    array = np.full((3, 30, 40), 4095, np.uint16)
    array[:, 0, 0] = 6000
    metadata = {"axes": "YXC", "SignificantBits": 12}
    data = written(
        np.moveaxis(array, 0, -1),
        photometric="minisblack",
        planarconfig="contig",
        ome=True,
        metadata=metadata,
    )
    assert pixels(data).min() == 255
