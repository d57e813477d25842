"""What microscopes say of their channels, and channels put together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageColor

from fieldguide.images.channels import COLOURS, MOST_CHANNELS, Channels, composed, stated_channels

HEAD = b'<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image>'


def ome(order: str, inside: str = "", **sizes: object) -> bytes:
    stated = " ".join(f'{name}="{value}"' for name, value in sizes.items())
    pixels = f'<Pixels DimensionOrder="{order}" {stated}>{inside}</Pixels>'
    return HEAD + pixels.encode() + b"</Image></OME>"


@pytest.mark.parametrize(
    ("order", "pages"),
    [("XYCZT", (0, 1, 2)), ("XYZCT", (0, 5, 10)), ("XYZTC", (0, 20, 40)), ("XYTCZ", (0, 4, 8))],
)
def test_the_order_of_dimensions_says_where_channels_are(order: str, pages: tuple[int, ...]) -> None:
    found = stated_channels(ome(order, SizeC=3, SizeZ=5, SizeT=4))
    assert found == Channels(pages, COLOURS[:3])


def test_pages_may_be_listed_one_by_one() -> None:
    listed = "".join(
        f'<TiffData FirstC="{channel}" FirstZ="{depth}" FirstT="0" IFD="{9 - channel - 3 * depth}"/>'
        for channel in range(2)
        for depth in range(2)
    )
    found = stated_channels(ome("XYCZT", listed, SizeC=2, SizeZ=2, SizeT=1))
    assert found is not None and found.pages == (9, 8)


def test_colours_and_bits_are_those_that_are_stated() -> None:
    channels = '<Channel ID="a" Color="-65281"/><Channel ID="b" Color="16711935"></Channel>'
    found = stated_channels(ome("XYCZT", channels, SizeC=2, SizeZ=1, SizeT=1, SignificantBits=12))
    assert found == Channels((0, 1), ((255, 255, 0), (0, 255, 0)), 12)
    one = stated_channels(ome("XYCZT", '<Channel Color="16711935"/><Channel/>', SizeC=2))
    assert one is not None and one.colours == COLOURS[:2]


def test_a_colour_picture_is_one_channel() -> None:
    found = stated_channels(ome("XYCZT", '<Channel SamplesPerPixel="3"/>', SizeC=3))
    assert found is not None and found.pages == (0,)


def test_no_more_channels_than_colours() -> None:
    found = stated_channels(ome("XYCZT", SizeC=400))
    assert found is not None and len(found.pages) == len(found.colours) == MOST_CHANNELS
    found = stated_channels(b"ImageJ=1\nchannels=900\n")
    assert found is not None and len(found.pages) == MOST_CHANNELS


@given(
    st.binary(max_size=60), st.sampled_from([HEAD + b"<Pixels ", b"ImageJ=1\n", b"OME <Pixels SizeC='3'>"])
)
def test_any_description_has_an_answer(rest: bytes, start: bytes) -> None:
    found = stated_channels(start + rest)
    assert found is None or len(found.pages) == len(found.colours) >= 1


def test_channels_add_up_and_end_at_white() -> None:
    dim, bright = np.full((2, 3), 100, np.uint8), np.full((2, 3), 200, np.uint8)
    image = composed([dim, bright, bright], [(255, 0, 0), (255, 255, 0), (0, 0, 51)])
    assert image.size == (3, 2)
    assert image.getpixel((0, 0)) == (255, 200, 40)
    with pytest.raises(ValueError, match="at least one channel"):
        composed([], [])


def test_colours_are_those_of_imagej():
    names = ("red", "lime", "blue", "white", "cyan", "magenta", "yellow")
    assert tuple(ImageColor.getrgb(name) for name in names) == COLOURS


def test_what_a_description_leaves_out_is_one_or_first():
    listed = (
        '<TiffData FirstC="0" IFD="7"/><TiffData FirstC="1" IFD="8"/>'
        '<TiffData FirstC="1" FirstT="1" IFD="9"/>'
    )
    found = stated_channels(ome("XYCZT", listed, SizeC=2))
    assert found is not None and found.pages == (7, 8)
    deep = (
        '<TiffData FirstC="0" FirstZ="1" IFD="5"/><TiffData FirstC="0" IFD="4"/>'
        '<TiffData FirstC="1" IFD="6"/>'
    )
    found = stated_channels(ome("XYCZT", deep, SizeC=2))
    assert found is not None and found.pages == (4, 6)
    assert stated_channels(ome("XYZTC", SizeC=2)) == Channels((0, 1), COLOURS[:2])
    assert stated_channels(ome("XYCZT")) == Channels((0,), COLOURS[:1])
    found = stated_channels(ome("XYCZT", '<Channel SamplesPerPixel="3"/>' * 2, SizeC=6))
    assert found is not None and found.pages == (0, 1)


@pytest.mark.parametrize(("stated", "bits"), [("1", 1), ("16", 16), ("17", None), ("0", None), ("x", None)])
def test_bits_are_one_to_sixteen(stated, bits):
    found = stated_channels(ome("XYCZT", SizeC=1, SignificantBits=stated))
    assert found is not None and found.bits == bits


def test_weak_colours_are_scaled():
    plane = np.full((1, 1), 200, np.uint8)
    assert composed([plane], [(254, 1, 0)]).getpixel((0, 0)) == (199, 0, 0)


def test_numbers_that_make_no_sense_are_one():
    assert stated_channels(b"ImageJ=1\nchannels=0\n") == Channels((0,), COLOURS[:1])
    assert stated_channels(b"ImageJ=1\n") == Channels((0,), COLOURS[:1])
    assert stated_channels(ome("XYCZT", SizeC=0)) == Channels((0,), COLOURS[:1])
    found = stated_channels(ome("XYCZT", '<Channel SamplesPerPixel="0"/>' * 2, SizeC=2))
    assert found == Channels((0, 1), COLOURS[:2])
    found = stated_channels(ome("XYCZT", '<Plane SizeC="7"/><Channel/><Channel/>', SizeC=2))
    assert found == Channels((0, 1), COLOURS[:2])
    found = stated_channels(ome("XYCZT", '<TiffData FirstC="0"/><TiffData FirstC="1" IFD="4"/>', SizeC=2))
    assert found is not None and found.pages == (0, 4)
