"""Directories of TIFF, as Pillow writes them and as nobody should."""

import io
import struct

import pytest
from PIL import Image

from fieldguide.errors import RefusedInput
from fieldguide.images.tiff_directory import (
    MAX_TEXT_BYTES,
    TiffLayout,
    WantedTags,
    first_offset,
    layout_of,
    read_directory,
    text_of,
)
from images_made import BASES, photo, saved

ALL = WantedTags(frozenset(range(65536)), frozenset({256}))


def first(data, wanted=ALL):
    layout = layout_of(data)
    return read_directory(data, layout, first_offset(data, layout), wanted)


@pytest.mark.parametrize("name", ["tiff", "tiff-big"])
def test_numbers_are_those_that_were_written(name):
    found = first(BASES[name])
    assert (found.number(256, 0), found.number(257, 0), found.values(258)) == (61, 47, (8, 8, 8))
    assert found.number(9999, 5) == 5
    assert 9999 not in found
    assert found.following == 0


def test_the_order_and_size_of_numbers_are_in_the_first_bytes():
    assert BASES["tiff-big"][:4] == b"II+\0"
    assert layout_of(b"II*\0") == TiffLayout("<", big=False)
    assert layout_of(b"II+\0") == TiffLayout("<", big=True)
    assert layout_of(b"MM\0*") == TiffLayout(">", big=False)
    assert layout_of(b"MM\0+") == TiffLayout(">", big=True)


def test_a_directory_may_be_empty_and_end_the_file():
    data = b"II*\0\x08\0\0\0" + bytes(6)
    assert first(data).tags == {}
    with pytest.raises(RefusedInput, match="ends too early"):
        first(data[:-1])
    with pytest.raises(RefusedInput, match="ends too early"):
        first(b"II*\0\x07\0\0\0" + bytes(30))
    ended = b"II*\0\x08\0\0\0" + bytes(2) + struct.pack("<I", 14)
    with pytest.raises(RefusedInput, match="ends too early"):
        first(ended)
    assert first(ended[:-4] + struct.pack("<I", 13)).following == 13


def test_what_is_not_asked_for_has_no_values():
    found = first(BASES["tiff"], WantedTags(frozenset({256})))
    assert found.values(256) == (61,)
    assert found.values(258) == ()
    assert 258 in found


def test_texts_are_found_and_shortened():
    data = saved(photo(), "TIFF", description="x" * (MAX_TEXT_BYTES + 10))
    found = first(data, WantedTags(frozenset(), texts=frozenset({270})))
    assert text_of(data, layout_of(data), found.tags[270]) == b"x" * MAX_TEXT_BYTES
    assert text_of(data, layout_of(data), None) == b""
    assert text_of(data, layout_of(data), found.tags[256]) == b""
    short = saved(photo(), "TIFF", description="ab")
    assert text_of(short, layout_of(short), first(short).tags[270]) == b"ab\0"


def test_the_next_directory_is_named():
    file = io.BytesIO()
    photo().save(file, "TIFF", save_all=True, append_images=[Image.new("L", (9, 5))])
    data = file.getvalue()
    found = read_directory(data, layout_of(data), first(data).following, ALL)
    assert (found.number(256, 0), found.number(257, 0)) == (9, 5)


def directory(*entries, count=None, following=0):
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    count = len(entries) if count is None else count
    return b"II*\0\x08\0\0\0" + struct.pack("<H", count) + body + struct.pack("<I", following) + bytes(20)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (directory((256, 4, 1, 5), count=5000), "damaged"),
        (directory((256, 4, 1, 5), count=50), "truncated"),
        (directory((256, 4, 1, 5), following=9_999), "truncated"),
        (directory((256, 4, 2, 8)), "damaged"),
        (directory((273, 4, 3, 9_000)), "truncated"),
        (directory((273, 3, 200_000, 8)) + bytes(400_000), "bomb"),
        (b"II*\0\x04\0\0\0" + bytes(40), "truncated"),
        (b"II*\0\xff\xff\0\0" + bytes(40), "truncated"),
    ],
)
def test_what_is_wrong_is_refused(data, code):
    with pytest.raises(RefusedInput) as caught:
        first(data)
    assert caught.value.code == code


@pytest.mark.parametrize("kind", [1, 2, 7])
def test_texts_have_three_types(kind):
    data = directory((270, kind, 4, int.from_bytes(b"abcd", "little")))
    assert text_of(data, layout_of(data), first(data, WantedTags(frozenset())).tags[270]) == b"abcd"
