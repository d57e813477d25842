"""The walk over a DICOM file's elements, held against pydicom."""

import io
import struct
import zlib

import numpy as np
import pytest

from dicom_made import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, dicom, shipped
from fieldguide.errors import RefusedInput
from fieldguide.images.dicom import elements as module
from fieldguide.images.dicom.elements import read_elements

pydicom = pytest.importorskip("pydicom", reason="the extra medical is not installed")

ROWS, COLUMNS, SLOPE, FUNCTIONS, PIXELS, PATIENT = (
    0x280010,
    0x280011,
    0x281053,
    0x5200_9229,
    0x7FE0_0010,
    0x100020,
)
PICTURE = np.arange(12, dtype=np.uint16).reshape(3, 4)


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, DEFLATED, BIG_ENDIAN])
def test_numbers_and_texts_in_every_way_of_writing(syntax):
    data = dicom(PICTURE, syntax, PatientID="A 7", RescaleSlope=2.5)
    found_syntax, found = read_elements(data, {ROWS, COLUMNS, SLOPE, PATIENT, PIXELS, 0x100010})
    assert found_syntax == syntax
    assert (found.integer(ROWS, 0), found.integer(COLUMNS, 0)) == (3, 4)
    assert (found.numbers(SLOPE), found.text(PATIENT)) == ((2.5,), "A 7")
    order = ">" if syntax == BIG_ENDIAN else "<"
    assert found.raw(PIXELS) == PICTURE.astype(order + "u2").tobytes()


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "nested_priv_SQ.dcm", "liver_1frame.dcm", "examples_jpeg2k.dcm"]
)
def test_what_pydicom_finds_is_found(name):
    data = shipped(name)
    reference = pydicom.dcmread(io.BytesIO(data))
    _, found = read_elements(data, {int(tag) for tag in reference.keys()})  # noqa: SIM118
    assert sorted(found.found) == sorted(int(tag) for tag in reference.keys())  # noqa: SIM118


def with_functions(slope: float) -> bytes:
    inner = pydicom.Dataset()
    inner.RescaleSlope = slope
    outer = pydicom.Dataset()
    outer.PixelValueTransformationSequence = [inner]
    return dicom(PICTURE, SharedFunctionalGroupsSequence=[outer])


def test_the_first_item_of_a_sequence_inside_a_sequence():
    _, found = read_elements(with_functions(0.25), {FUNCTIONS})
    item = found.item(FUNCTIONS, {0x289145})
    assert item is not None
    inner = item.item(0x289145, {SLOPE})
    assert inner is not None and inner.numbers(SLOPE) == (0.25,)
    assert found.item(ROWS, {SLOPE}) is None


def test_what_was_not_asked_for_is_not_there():
    _, found = read_elements(dicom(PICTURE), {ROWS})
    assert list(found.found) == [ROWS]
    assert COLUMNS not in found and found.integers(COLUMNS) == () and found.integer(COLUMNS, 9) == 9


def head(group: int, element: int, length: int, vr: bytes = b"SQ") -> bytes:
    return struct.pack("<HH2sHI", group, element, vr, 0, length)


def file_of(body: bytes, syntax: str = EXPLICIT) -> bytes:
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    return bytes(128) + b"DICM" + struct.pack("<HH2sH", 2, 0x10, b"UI", len(uid)) + uid + body


def refusal(data: bytes, wanted: int = PIXELS) -> str:
    with pytest.raises(RefusedInput) as caught:
        read_elements(data, {wanted})
    return caught.value.code


def test_nesting_costs_no_recursion_and_an_endless_one_is_cut_off():
    deep = head(8, 5, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    ends = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    body = deep * 20_000 + ends * 20_000 + struct.pack("<HH2sHH", 0x28, 0x10, b"US", 2, 7)
    _, found = read_elements(file_of(body), {ROWS})
    assert found.integer(ROWS, 0) == 7
    assert refusal(file_of(deep * 20_000)) == "truncated"


def item(length: int) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, length)


def test_an_element_that_reaches_out_of_its_item_is_truncated():
    rows = struct.pack("<HH2sHH", 0x28, 0x10, b"US", 2, 7)
    for stated, whole in ((10, True), (9, False)):
        body = head(8, 5, 18) + item(stated) + rows
        _, found = read_elements(file_of(body), {0x80005})
        if whole:
            inner = found.item(0x80005, {ROWS})
            assert inner is not None and inner.integer(ROWS, 0) == 7
        else:
            with pytest.raises(RefusedInput, match="ends too early"):
                found.item(0x80005, {ROWS})


def test_what_lies_in_an_unknown_sequence_is_written_implicitly():
    """A length whose bytes are letters would else be taken for a representation."""
    inner = struct.pack("<HHI", 8, 0x10, 0x4242) + bytes(0x4242)
    ends = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    unknown = head(8, 5, 0xFFFFFFFF, b"UN") + item(0xFFFFFFFF) + inner + ends
    _, found = read_elements(file_of(unknown + struct.pack("<HH2sHH", 0x28, 0x10, b"US", 2, 7)), {ROWS})
    assert found.integer(ROWS, 0) == 7


def test_millions_of_items_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MAX_ELEMENTS", 1000)
    items = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    assert refusal(file_of(head(8, 5, 0xFFFFFFFF) + items * 2000)) == "bomb"


def test_a_deflated_file_unfolds_within_a_limit(monkeypatch):
    def packed(body: bytes) -> bytes:
        squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
        return squeeze.compress(body) + squeeze.flush()

    body = packed(head(0x28, 0x10, 5_000_000, b"OB") + bytes(5_000_000))
    assert len(body) < 10_000
    _, found = read_elements(file_of(body, DEFLATED), {ROWS})
    assert len(found.raw(ROWS)) == 5_000_000
    assert refusal(file_of(body[:-50], DEFLATED)) == "truncated"
    assert refusal(file_of(b"\xff" * 99, DEFLATED)) == "damaged"
    monkeypatch.setattr(module, "MAX_INFLATED_BYTES", 1_000_000)
    assert refusal(file_of(body, DEFLATED)) == "bomb"


def test_a_file_that_is_cut_off_is_truncated():
    data = dicom(PICTURE)
    assert refusal(data[:-1]) == "truncated"
    assert refusal(bytes(200)) == "damaged"
    for kept in range(8, 12):
        assert refusal(file_of(head(8, 5, 0)[:kept])) == "truncated"
