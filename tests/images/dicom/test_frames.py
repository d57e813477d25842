"""The first frame of pixel data, and codes that contradict their header."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from dicom_made import dicom, shipped
from fieldguide.errors import RefusedInput
from fieldguide.images.decoding import open_image
from fieldguide.images.dicom import frames
from fieldguide.images.dicom.elements import Coding, Element, Elements
from fieldguide.images.dicom.frames import PIXEL_DATA, RUN_LENGTHS, check_code, first_frame

JPEG, JPEG_2000 = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90"
JPEG_LS = "1.2.840.10008.1.2.4.80"


def fragments(*parts: bytes, offsets: tuple[int, ...] = ()) -> Elements:
    table = struct.pack(f"<{len(offsets)}I", *offsets)
    items = [struct.pack("<HHI", 0xFFFE, 0xE000, len(part)) + part for part in (table, *parts)]
    data = b"".join(items) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    coding = Coding("<", implicit=False)
    return Elements(data, coding, {PIXEL_DATA: Element(b"OB", 0, len(data), undefined=True)})


def test_of_one_picture_all_fragments():
    assert first_frame(fragments(b"ab", b"cd"), 1, 99) == b"abcd"


def test_of_several_pictures_those_before_the_second_offset():
    assert first_frame(fragments(b"ab", b"cd", b"ef", offsets=(0, 20)), 2, 99) == b"abcd"


def test_of_several_pictures_without_offsets_one_fragment_each_or_up_to_the_end_of_a_jpeg():
    assert first_frame(fragments(b"ab", b"cd"), 2, 99) == b"ab"
    assert first_frame(fragments(b"ab", b"c\xff\xd9\0", b"ef"), 2, 99) == b"abc\xff\xd9\0"
    with pytest.raises(RefusedInput, match="where its first picture ends"):
        first_frame(fragments(b"ab", b"cd", b"ef"), 2, 99)


def test_pixel_data_without_a_fragment_is_damaged():
    with pytest.raises(RefusedInput, match="holds no picture"):
        first_frame(fragments(), 1, 99)


@pytest.mark.parametrize(
    ("name", "rows"), [("SC_rgb_rle_2frame.dcm", 100), ("SC_rgb_rle_16bit_2frame.dcm", 100)]
)
def test_the_first_of_two_frames_is_the_one_of_the_file_with_one(name, rows):
    one = open_image(shipped(name.replace("_2frame", "")))
    assert one.height == rows
    assert open_image(shipped(name)).tobytes() == one.tobytes()


def test_too_few_values_are_truncated():
    coding = Coding("<", implicit=False)
    element = Element(b"OW", 0, 6, undefined=False)
    with pytest.raises(RefusedInput, match="ends too early"):
        first_frame(Elements(b"abcdef", coding, {PIXEL_DATA: element}), 1, 8)
    later = Element(b"OW", 6, 12, undefined=False)
    with pytest.raises(RefusedInput, match="ends too early"):
        first_frame(Elements(b"headerabcdef", coding, {PIXEL_DATA: later}), 1, 8)
    assert first_frame(Elements(b"headerabcdef", coding, {PIXEL_DATA: later}), 1, 6) == b"abcdef"


def test_more_fragments_than_are_walked_are_a_bomb(monkeypatch):
    monkeypatch.setattr(frames, "MAX_SCANNED_PARTS", 4)  # the table of offsets counts
    assert first_frame(fragments(b"ab", b"cd", b"ef"), 1, 99) == b"abcdef"
    with pytest.raises(RefusedInput, match="more than 4 fragments"):
        first_frame(fragments(b"ab", b"cd", b"ef", b"gh"), 1, 99)


def saved(kind: str, size: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("L", size).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(("kind", "syntax"), [("JPEG", JPEG), ("JPEG2000", JPEG_2000)])
def test_a_code_must_be_of_the_size_that_the_header_says(kind, syntax):
    frame = saved(kind, (40, 30))
    check_code(frame, syntax, (40, 30), 1200)
    with pytest.raises(RefusedInput, match="of another size"):
        check_code(frame, syntax, (4, 3), 12)


def test_a_lossless_jpeg_states_its_size_in_a_marker_of_its_own():
    """JPEG-LS, ITU-T T.87: its frame is FFF7, otherwise laid out as those of other JPEGs."""
    frame = b"\xff\xd8\xff\xf7" + struct.pack(">HBHH", 11, 8, 300, 400)
    check_code(frame, JPEG_LS, (400, 300), 120_000)
    with pytest.raises(RefusedInput, match="of another size"):
        check_code(frame, JPEG_LS, (300, 400), 120_000)
    with pytest.raises(RefusedInput, match="ends too early"):
        check_code(frame[:-1], JPEG_LS, (400, 300), 120_000)


def test_the_same_through_the_door():
    pydicom = pytest.importorskip("pydicom", reason="the extra medical is not installed")
    data = pydicom.dcmread(io.BytesIO(dicom(np.zeros((3, 4), np.uint8))))
    data.file_meta.TransferSyntaxUID = JPEG
    data.PixelData = pydicom.encaps.encapsulate([saved("JPEG", (4000, 3000))])
    data["PixelData"].VR = "OB"
    file = io.BytesIO()
    data.save_as(file)
    with pytest.raises(RefusedInput, match="of another size"):
        open_image(file.getvalue())


def test_run_lengths_that_unfold_to_more_than_the_picture_are_a_bomb():
    header = struct.pack("<16I", 1, 64, *[0] * 14)
    check_code(header + b"\x81\0" * 10, RUN_LENGTHS, (32, 40), 1280)
    with pytest.raises(RefusedInput, match="unfold to more"):
        check_code(header + b"\x81\0" * 1000, RUN_LENGTHS, (32, 40), 1280)
    with pytest.raises(RefusedInput, match="unfold to more"):  # bytes that stand for themselves count too
        check_code(header + b"\0x" * 6657, RUN_LENGTHS, (32, 40), 1280)
    check_code(header + b"\0x" * 6656, RUN_LENGTHS, (32, 40), 1280)
    check_code(header + b"\x80" * 10_000, RUN_LENGTHS, (32, 40), 1280)  # which stands for nothing
    with pytest.raises(RefusedInput, match="begin outside"):
        check_code(struct.pack("<16I", 1, 9999, *[0] * 14), RUN_LENGTHS, (32, 40), 1280)


def test_an_unknown_code_is_refused_by_name():
    with pytest.raises(RefusedInput, match="this compression"):
        check_code(b"nothing known", JPEG_2000, (4, 3), 12)
