"""A DICOM file as other formats are: its size before anything is decoded, a decoder for its first frame."""

import functools
import importlib
import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fieldguide.errors import RefusedInput
from fieldguide.images.dicom.elements import Elements, read_elements
from fieldguide.images.dicom.frames import (
    JPEG_BASELINE,
    JPEG_EXTENDED,
    MAX_RUN_LENGTH_PIXELS,
    PIXEL_DATA,
    RUN_LENGTHS,
    check_code,
    first_frame,
)
from fieldguide.images.dicom.greyscale import Greyscale, Lookup, Window, looked_up, present_values
from fieldguide.images.header import Header, damaged
from fieldguide.images.jpeg import read_jpeg

_SAMPLES, _PHOTOMETRIC, _PLANAR, _FRAMES, _ROWS, _COLUMNS = (
    0x280002,
    0x280004,
    0x280006,
    0x280008,
    0x280010,
    0x280011,
)
_ALLOCATED, _STORED, _SIGNED, _PADDING = 0x280100, 0x280101, 0x280103, 0x280120
_CENTER, _WIDTH, _INTERCEPT, _SLOPE, _FUNCTION = 0x281050, 0x281051, 0x281052, 0x281053, 0x281056
_PALETTES = ((0x281101, 0x281201), (0x281102, 0x281202), (0x281103, 0x281203))
_MODALITY_TABLE, _INTEREST_TABLE, _DESCRIPTOR, _TABLE_DATA = 0x283000, 0x283010, 0x283002, 0x283006
_SHARED, _EACH, _FRAME_WINDOW, _FRAME_VALUES = 0x5200_9229, 0x5200_9230, 0x289132, 0x289145
_PICTURE = {_SAMPLES, _PHOTOMETRIC, _PLANAR, _FRAMES, _ROWS, _COLUMNS, _ALLOCATED, _STORED, _SIGNED, _PADDING}
_VALUES = {_CENTER, _WIDTH, _INTERCEPT, _SLOPE, _FUNCTION, _MODALITY_TABLE, _INTEREST_TABLE}
_WANTED = frozenset(
    _PICTURE | _VALUES | {_SHARED, _EACH, PIXEL_DATA} | {tag for pair in _PALETTES for tag in pair}
)
_COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
_GREYS = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
_NATIVE = ("", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2")
_EXPLICIT = "1.2.840.10008.1.2.1"


@dataclass(frozen=True)
class _Picture:
    """What the header says of the pixels."""

    syntax: str
    """Transfer syntax UID; of what is not compressed one that says the order of bytes."""
    representation: str
    """Value representation of the pixel data."""
    rows: int
    columns: int
    frames: int
    samples: int
    photometric: str
    planar: int
    allocated: int
    """Bits that a value takes."""
    stored: int
    """Bits of these that count."""
    signed: bool

    @property
    def frame_bytes(self) -> int:
        values = self.rows * self.columns * self.samples
        if self.photometric == "YBR_FULL_422" and self.syntax in _NATIVE:
            values = values // 3 * 2
        return math.ceil(values * self.allocated / 8)

    @property
    def compressed(self) -> bool:
        return self.syntax not in _NATIVE


def read_dicom(data: bytes) -> Header:
    """Read what a DICOM file says of its picture; of several frames, of the first.

    Raises
    ------
    RefusedInput
        ``truncated``, ``damaged``, ``bomb``, ``unsupported_format`` for a file without a picture or a kind
        that is not read, ``plugin_missing`` for a compression that no installed decoder knows.
    """
    try:
        syntax, elements = read_elements(data, _WANTED)
        picture = _picture(syntax, elements)
        values = _grey_values(elements, picture)
        colours = _palette(elements, picture) if picture.photometric == "PALETTE COLOR" else None
    except ValueError as error:
        raise damaged("DICOM", "a number in its header cannot be read") from error
    _check_picture(picture)
    if picture.syntax not in (*_NATIVE, JPEG_BASELINE, RUN_LENGTHS):
        _check_decoder(picture)
    frame = first_frame(elements, picture.frames, picture.frame_bytes)
    if picture.compressed:
        check_code(frame, picture.syntax, (picture.columns, picture.rows), picture.frame_bytes)
    return Header(
        picture.columns,
        picture.rows,
        payload=frame,
        decoder_bytes=_decoder_bytes(picture),
        max_pixels=MAX_RUN_LENGTH_PIXELS if picture.syntax == RUN_LENGTHS else None,
        decode=functools.partial(_decoded, picture, values, colours),
    )


def _picture(syntax: str, elements: Elements) -> _Picture:
    if PIXEL_DATA not in elements:
        raise RefusedInput(
            "unsupported_format", "this DICOM file holds no picture (a report, a plan, a signal)"
        )
    pixels = elements.found[PIXEL_DATA]
    allocated = elements.integer(_ALLOCATED, 8)
    samples = elements.integer(_SAMPLES, 1)
    return _Picture(
        syntax=syntax or _EXPLICIT,
        representation="OB" if pixels.representation == b"OB" else "OW",
        rows=elements.integer(_ROWS, 0),
        columns=elements.integer(_COLUMNS, 0),
        frames=max(1, elements.integer(_FRAMES, 1)),
        samples=samples,
        photometric=elements.text(_PHOTOMETRIC) or ("RGB" if samples == 3 else "MONOCHROME2"),
        planar=elements.integer(_PLANAR, 0),
        allocated=allocated,
        stored=elements.integer(_STORED, allocated),
        signed=elements.integer(_SIGNED, 0) == 1,
    )


def _check_picture(picture: _Picture) -> None:
    allowed = {1: _GREYS, 3: _COLOURS}.get(picture.samples, ())
    if picture.photometric not in allowed:
        raise RefusedInput(
            "unsupported_format",
            "this kind of DICOM colour is not read; allowed are one value a pixel as "
            f"{', '.join(_GREYS)} and three as {', '.join(_COLOURS)}; export the image as PNG",
        )
    if picture.allocated == 1 and picture.samples == 3:
        raise RefusedInput(
            "unsupported_format",
            "DICOM colour of 1 bit a value is not read, only of 8 and 16; export it as PNG",
        )
    if picture.allocated not in (1, 8, 16):
        raise RefusedInput(
            "unsupported_format",
            f"DICOM of {picture.allocated} bits a value is not read, only of 1, 8 and 16; export it as PNG",
        )
    if not 1 <= picture.stored <= picture.allocated:
        raise damaged("DICOM", f"it claims {picture.stored} bits in {picture.allocated}")


def _check_decoder(picture: _Picture) -> None:
    """Refuse a compression that nothing here can decode; nothing of the header is in the message."""
    pixels: Any = importlib.import_module("pydicom.pixels")
    try:
        decoders = set(pixels.get_decoder(picture.syntax).available_plugins)
    except NotImplementedError as error:
        raise RefusedInput(
            "unsupported_format", "this transfer syntax of DICOM is not read; export the image as PNG"
        ) from error
    if picture.stored > 8 and picture.syntax == JPEG_EXTENDED:
        raise RefusedInput(
            "unsupported_format", "DICOM with JPEG of 12 bits is not read; export the image as PNG or TIFF"
        )
    if picture.stored > 8 and picture.samples == 3:
        # Of such pictures Pillow gives 8 bits, or nothing.
        decoders -= {"pillow"}
    if not decoders:
        raise RefusedInput(
            "plugin_missing",
            "this DICOM file is compressed in a way that needs one more decoder: pip install python-gdcm",
        )


def _decoder_bytes(picture: _Picture) -> float:
    """Copies of the values that a decoder makes, and the result as array and as image; measured."""
    values = picture.samples * max(8, picture.allocated) / 8
    converted = 20 if picture.photometric.startswith("YBR_FULL") else 0
    result = 2 if picture.samples == 1 and picture.photometric != "PALETTE COLOR" else 8
    return values * (6 if picture.compressed else 2) + converted + result


def _grey_values(elements: Elements, picture: _Picture) -> Greyscale:
    frame = [elements]
    for group in (_SHARED, _EACH):
        functions = elements.item(group, {_FRAME_WINDOW, _FRAME_VALUES})
        inner = [functions.item(tag, _VALUES) for tag in (_FRAME_WINDOW, _FRAME_VALUES)] if functions else []
        frame += [found for found in inner if found is not None]
    padding = elements.integers(_PADDING)
    span = 1 << picture.allocated
    signed_padding = [(one + span // 2) % span - span // 2 if picture.signed else one for one in padding[:1]]
    return Greyscale(
        bits=max(1, min(picture.stored, 16)),
        signed=picture.signed,
        slope=_decimal(frame, _SLOPE, 1.0),
        intercept=_decimal(frame, _INTERCEPT, 0.0),
        modality=_table(frame, _MODALITY_TABLE, picture.signed),
        interest=_table(frame, _INTEREST_TABLE, picture.signed) or _window(frame),
        padding=signed_padding[0] if signed_padding else None,
        inverted=picture.photometric == "MONOCHROME1",
    )


def _decimal(places: list[Elements], tag: int, default: float) -> float:
    """The first number of an element, wherever the file has it; what belongs to the frame comes last."""
    found = [numbers[0] for place in places if (numbers := place.numbers(tag))]
    value = found[-1] if found else default
    if not math.isfinite(value):
        raise damaged("DICOM", "a number in its header is not finite")
    return value


def _window(places: list[Elements]) -> Window | None:
    center, width = _decimal(places, _CENTER, 0.0), _decimal(places, _WIDTH, 0.0)
    functions = [place.text(_FUNCTION) for place in places if _FUNCTION in place]
    # A width of zero is how some devices say that there is no window.
    return Window(center, width, functions[-1] if functions else "LINEAR") if width > 0 else None


def _table(places: list[Elements], sequence: int, signed: bool) -> Lookup | None:
    for place in reversed(places):
        item = place.item(sequence, {_DESCRIPTOR, _TABLE_DATA})
        if item is not None and _TABLE_DATA in item:
            return _lookup(item, _DESCRIPTOR, _TABLE_DATA, signed=signed)
    return None


def _lookup(elements: Elements, descriptor: int, data: int, *, signed: bool) -> Lookup:
    numbers = elements.integers(descriptor)
    if len(numbers) != 3:
        raise damaged("DICOM", "the description of a lookup table is not of three numbers")
    count, first, bits = numbers[0] % 65536 or 65536, numbers[1], numbers[2]
    # Without a representation the sign is that of the pixels (PS3.3, C.11.1.1.1).
    if signed and first >= 32768:
        first -= 65536
    raw = elements.raw(data)
    bytewise = bits <= 8 and len(raw) < 2 * count
    entries = np.frombuffer(raw, np.uint8 if bytewise else np.dtype(elements.coding.order + "u2"), count)
    if not 1 <= bits <= 16:
        raise damaged("DICOM", f"a lookup table claims {bits} bits")
    return Lookup(first, entries, bits)


def _palette(elements: Elements, picture: _Picture) -> NDArray[np.uint8]:
    """Colours of all values that pixels may have, of shape (n_values, 3)."""
    values = Greyscale(max(1, min(picture.stored, 16)), picture.signed)
    stored = np.arange(1 << values.bits, dtype=np.float64) + values.lowest
    columns = []
    for descriptor, data in _PALETTES:
        if data not in elements:
            raise RefusedInput(
                "unsupported_format", "a DICOM palette in segments is not read; export the image as PNG"
            )
        lookup = _lookup(elements, descriptor, data, signed=picture.signed)
        entries = lookup.of(stored)
        columns.append(entries / (256 if lookup.bits > 8 else 1))
    return np.stack(columns, axis=-1).astype(np.uint8)


def _decoded(
    picture: _Picture, values: Greyscale, palette: NDArray[np.uint8] | None, frame: bytes
) -> Image.Image:
    if picture.syntax == JPEG_BASELINE or (picture.syntax == JPEG_EXTENDED and picture.stored == 8):
        pixels = _from_jpeg(frame, picture)
    else:
        pixels = _from_pydicom(frame, picture)
    if picture.samples == 3:
        shift = max(0, picture.stored - 8)
        return Image.fromarray(pixels if pixels.dtype == np.uint8 else (pixels >> shift).astype(np.uint8))
    count = 1 << values.bits
    table = palette if palette is not None else values.table(present_values(pixels, values.lowest, count))
    return Image.fromarray(looked_up(pixels, values.lowest, table))


def _from_jpeg(frame: bytes, picture: _Picture) -> NDArray[Any]:
    """A baseline JPEG as photos are read, so that pydicom need not warn where header and code disagree."""
    image = Image.open(io.BytesIO(read_jpeg(frame).payload), formats=("JPEG",))
    if picture.samples == 1:
        return np.asarray(image.convert("L"))
    stated = "jfif" in image.info or "adobe_transform" in image.info
    if picture.photometric == "RGB" and not stated:
        # libjpeg would take three components without a mark as YCbCr; asked for YCbCr it changes nothing.
        image.draft("YCbCr", image.size)
        return np.asarray(image)
    return np.asarray(image.convert("RGB"))


def _from_pydicom(frame: bytes, picture: _Picture) -> NDArray[Any]:
    """Pixels of shape (height, width) or (height, width, 3), as pydicom's decoders give them."""
    pixels: Any = importlib.import_module("pydicom.pixels")
    if picture.compressed:
        frame = importlib.import_module("pydicom.encaps").encapsulate([frame], has_bot=False)
    found, _ = pixels.get_decoder(picture.syntax).as_array(
        frame,
        index=0,
        validate=False,
        rows=picture.rows,
        columns=picture.columns,
        number_of_frames=1,
        samples_per_pixel=picture.samples,
        photometric_interpretation=picture.photometric,
        planar_configuration=picture.planar,
        bits_allocated=picture.allocated,
        bits_stored=picture.stored,
        pixel_representation=int(picture.signed),
        pixel_keyword="PixelData",
        pixel_vr=picture.representation,
    )
    array: NDArray[Any] = found
    return array
