"""The size that an AVIF's stream says, field by field, and streams that would take long to follow."""

import struct
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from fieldguide.errors import RefusedInput
from fieldguide.images.av1 import coded_sizes
from fieldguide.images.containers import read_avif
from images_made import measured, photo, saved


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
    # Later versions of the list, of items in the description itself: a method, and numbers of 32 bits.
    first = bytes([1, 0, 0, 0, 0x44, 0]) + struct.pack(">HHHHHII", 1, 1, 1, 0, 1, 0, len(item))
    second = bytes([2, 0, 0, 0, 0x44, 0x08]) + struct.pack(">IIHHHQII", 1, 1, 1, 0, 1, 0, 0, len(item))
    for locations in (first, second):
        meta = struct.pack(">I4sI", 28 + len(locations) + len(item), b"meta", 0)
        meta += struct.pack(">I4s", 8 + len(locations), b"iloc") + locations
        meta += struct.pack(">I4s", 8 + len(item), b"idat") + item
        assert coded_sizes(meta, meta) == [(3000, 200)]


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
