"""The TIFF container: byte orders and depths."""

import io
import re
import struct

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from fieldguide.errors import RefusedInput
from fieldguide.images import tiff as tiff_module
from fieldguide.images.channels import COLOURS, composed
from fieldguide.images.decoding import open_image
from fieldguide.images.tiff import read_tiff
from images_made import BASES, exif, levels, photo, saved


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


def changed(data: bytes, tag: int, value: int) -> bytes:
    """A little-endian file with another number in one tag of type LONG."""
    at = data.index(struct.pack("<HHI", tag, 4, 1), len(data) - 200)
    return data[: at + 8] + struct.pack("<I", value) + data[at + 12 :]


PLAIN = grey_tiff("<", 8, bytes(65536))


@pytest.mark.parametrize("name", ["tiff", "tiff-lzw", "tiff-jpeg", "tiff-big"])
def test_the_size_is_that_of_the_picture(name: str) -> None:
    header = read_tiff(BASES[name])
    assert (header.width, header.height, header.orientation, header.white) == (61, 47, 1, 65535)


def test_white_of_twelve_bits_is_4095() -> None:
    assert read_tiff(grey_tiff("<", 12, bytes(256 * 384))).white == 4095


def test_the_decoder_is_given_a_directory_without_metadata() -> None:
    data = saved(photo(), "TIFF", exif=exif(6), description="SECRET")
    header = read_tiff(data)
    assert header.orientation == 6
    with Image.open(io.BytesIO(header.payload)) as opened:
        assert opened.size == (61, 47)
        assert not {270, 274} & set(opened.tag_v2)


@pytest.mark.parametrize(
    ("data", "code", "told"),
    [
        (changed(PLAIN, 259, 9999), "unsupported_format", "TIFF compression 9999 is not read"),
        (changed(PLAIN, 277, 900), "damaged", "it claims 900 values a pixel"),
        (PLAIN[:9], "truncated", "ends too early"),
        (changed(PLAIN, 257, 300), "damaged", "it lists 1 of 2 strips or tiles"),
        (changed(changed(PLAIN, 257, 300), 278, 300), "truncated", "ends too early"),
        (b"II*\0" + struct.pack("<IH", 8, 5000) + bytes(99), "damaged", "claims 5,000 entries"),
    ],
)
def test_what_is_wrong_is_named(data: bytes, code: str, told: str) -> None:
    with pytest.raises(RefusedInput, match=told) as caught:
        read_tiff(data)
    assert caught.value.code == code


def plane(seed: int, size: tuple[int, int] = (20, 10), top: int = 256) -> Image.Image:
    """A grey picture; of 16 bits where its values need them."""
    values = np.random.default_rng(seed).integers(0, top, size[::-1])
    return Image.fromarray(values.astype(np.uint8 if top == 256 else np.uint16))


def described(pages: list[Image.Image], description: str, **options: object) -> bytes:
    """A TIFF of several pages; the first has a description."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[270] = description
    return saved(pages[0], "TIFF", save_all=True, append_images=pages[1:], tiffinfo=tags, **options)


def ome(channels: int, order: str = "XYCZT", depth: int = 1, **more: int) -> str:
    stated = " ".join(f'{name}="{value}"' for name, value in more.items())
    sizes = f'SizeC="{channels}" SizeZ="{depth}" SizeT="1"'
    return f'<OME><Image><Pixels DimensionOrder="{order}" {sizes} {stated}></Pixels></Image></OME>'


def together(*planes: Image.Image) -> np.ndarray:
    """Channels in the colours that they have where none are stated."""
    return np.asarray(composed((np.asarray(one) for one in planes), COLOURS[: len(planes)]))


def read(data: bytes) -> np.ndarray:
    return np.asarray(open_image(data))


def test_pages_that_are_channels_are_put_together() -> None:
    pages = [plane(seed) for seed in range(4)]
    assert np.array_equal(read(described(pages, ome(4))), together(*pages))
    assert np.array_equal(read(described(pages, ome(2))), together(*pages[:2]))
    deep = described(pages, ome(2, "XYZCT", depth=2))
    assert np.array_equal(read(deep), together(pages[0], pages[2]))


def test_channels_of_twelve_bits_are_scaled_by_them() -> None:
    pages = [plane(seed, top=4096) for seed in range(2)]
    found = read(described(pages, ome(2, SignificantBits=12)))
    scaled = [Image.fromarray((np.asarray(page) / 4095 * 255).round().astype(np.uint8)) for page in pages]
    assert np.abs(found.astype(int) - together(*scaled)).max() <= 1


@pytest.mark.parametrize(
    "pages",
    [
        [plane(0)],
        [plane(0), plane(1)],
        [plane(0), plane(1), plane(2, (20, 11))],
        [plane(0), plane(1), plane(2, (21, 10))],
        [plane(0), plane(1), photo(20, 10)],
    ],
    ids=["one", "two", "higher", "wider", "colour"],
)
def test_where_pages_are_not_the_channels_that_are_named_the_first_is_read(pages: list[Image.Image]) -> None:
    expected = np.repeat(np.asarray(pages[0])[..., None], 3, axis=2)
    assert np.array_equal(read(described(pages, ome(3))), expected)


def test_a_colour_picture_first_is_no_channel() -> None:
    pages = [photo(20, 10), photo(20, 10).transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    assert np.array_equal(read(described(pages, ome(2))), np.asarray(pages[0]))


def test_channels_are_looked_for_on_so_many_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [plane(seed) for seed in range(3)]
    monkeypatch.setattr(tiff_module, "_MOST_PAGES", 3)
    assert np.array_equal(read(described(pages, ome(3))), together(*pages))
    monkeypatch.setattr(tiff_module, "_MOST_PAGES", 2)
    first = np.repeat(np.asarray(pages[0])[..., None], 3, axis=2)
    assert np.array_equal(read(described(pages, ome(3))), first)


def without_pixels(data: bytes, tag: int) -> bytes:
    """A little-endian file whose pages all state a width or height of 0."""
    entry = re.compile(re.escape(struct.pack("<HHI", tag, 4, 1)) + b"....", re.DOTALL)
    changed_, count = entry.subn(struct.pack("<HHII", tag, 4, 1, 0), data)
    assert count == 2
    return changed_


@pytest.mark.parametrize("tag", [256, 257])
def test_channels_without_pixels_are_refused_as_such(tag: int) -> None:
    data = without_pixels(described([plane(0), plane(1)], ome(2)), tag)
    with pytest.raises(RefusedInput) as caught:
        open_image(data)
    assert caught.value.code == "no_pixels"


def test_channels_count_what_they_hold_beside_each_other() -> None:
    pages = [plane(0), plane(1)]
    data = described(pages, ome(2))
    alone = read_tiff(described(pages, "nothing of channels"))
    header = read_tiff(data)
    assert header.payload == data and alone.decode is None
    assert header.decoder_bytes == alone.decoder_bytes + 16 + len(data) / 200


def test_a_channel_that_cannot_be_decoded_is_damaged() -> None:
    pages = [plane(seed, (200, 100)) for seed in range(2)]
    compressed = saved(pages[0], "TIFF", compression="tiff_lzw")
    with Image.open(io.BytesIO(compressed)) as opened:
        start, count = opened.tag_v2[273][0], opened.tag_v2[279][0]
    data = bytearray(described(pages, ome(2), compression="tiff_lzw"))
    at = bytes(data).index(compressed[start : start + count]) + 10
    data[at : at + 2000] = b"\xff" * 2000
    with pytest.raises(RefusedInput, match="a channel of the TIFF cannot be decoded") as caught:
        open_image(bytes(data))
    assert caught.value.code == "damaged"


@pytest.mark.parametrize(("stated", "read_as"), [(1, 1), (3, 3), (8, 8), (0, 1), (9, 1)])
def test_an_orientation_is_one_to_eight(stated: int, read_as: int) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[274] = stated
    assert read_tiff(saved(photo(), "TIFF", tiffinfo=tags)).orientation == read_as


def test_an_orientation_may_stand_in_xmp() -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[700] = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    assert read_tiff(saved(photo(), "TIFF", tiffinfo=tags)).orientation == 6
    tags[274] = 3
    assert read_tiff(saved(photo(), "TIFF", tiffinfo=tags)).orientation == 3


def test_fifteen_bytes_are_no_file() -> None:
    for length in (8, 15):
        with pytest.raises(RefusedInput, match="ends too early"):
            read_tiff(PLAIN[:length])
