"""DICOM through the one door: the files that pydicom ships, kinds of values, hostile bytes."""

import io
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_made import dicom, shipped
from fieldguide.errors import RefusedInput
from fieldguide.images import decoding
from fieldguide.images.decoding import CODES, open_image
from fieldguide.images.dicom.reader import read_dicom

pydicom = pytest.importorskip("pydicom", reason="the extra medical is not installed")

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)
# Files whose decoders pydicom and Pillow bring.
SHIPPED = [
    "693_J2KI.dcm",
    "CT_small.dcm",
    "ExplVR_BigEnd.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "JPEG2000.dcm",
    "MR_small.dcm",
    "MR_small_RLE.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_implicit.dcm",
    "MR_small_padded.dcm",
    "SC_jpeg_no_color_transform.dcm",
    "SC_rgb_dcmtk_+eb+cr.dcm",
    "SC_rgb_dcmtk_+eb+cy+np.dcm",
    "SC_rgb_dcmtk_+eb+cy+s4.dcm",
    "SC_rgb_jpeg_app14_dcmd.dcm",
    "SC_rgb_rle.dcm",
    "SC_rgb_rle_16bit.dcm",
    "SC_rgb_small_odd.dcm",
    "SC_rgb_small_odd_big_endian.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "examples_jpeg2k.dcm",
    "examples_overlay.dcm",
    "examples_palette.dcm",
    "examples_ybr_color.dcm",
    "image_dfl.dcm",
    "liver_1frame.dcm",
]


def grey(data: bytes) -> np.ndarray:
    pixels = np.asarray(open_image(data))
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0]


def expected_grey(data, values):
    """As pydicom's own functions show it, from 0 to 255."""
    values = pydicom.pixels.apply_voi_lut(pydicom.pixels.apply_modality_lut(values, data), data)
    span = 2**data.BitsStored - 1
    low, high = (-(span + 1) // 2, span // 2) if data.PixelRepresentation else (0, span)
    if "WindowCenter" not in data:
        low, high = (values.min(), values.max()) if data.BitsStored > 8 else (low, high)
    elif "RescaleSlope" in data:
        low, high = (end * data.RescaleSlope + data.RescaleIntercept for end in (low, high))
    return np.clip((values.astype(float) - float(low)) / float(high - low) * 255, 0, 255)


@pytest.mark.parametrize("name", SHIPPED)
def test_files_of_pydicom_look_as_pydicom_shows_them(name):
    found = np.asarray(open_image(shipped(name)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = pydicom.dcmread(io.BytesIO(shipped(name)))
        values = pydicom.pixels.pixel_array(data, index=0)
        if data.PhotometricInterpretation == "PALETTE COLOR":
            expected = pydicom.pixels.apply_color_lut(values, data) / 257
        elif data.SamplesPerPixel == 3:
            expected = values >> data.BitsStored - 8
        else:
            expected = np.repeat(expected_grey(data, values)[..., None], 3, axis=-1)
    assert found.shape == expected.shape
    # YCbCr of a JPEG is converted by libjpeg here and by a matrix there.
    assert np.abs(found - expected).max() <= (3 if name.startswith("SC_rgb_jpeg") else 1.0)


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("MR_truncated.dcm", "truncated", "ends too early"),
        ("rtplan.dcm", "unsupported_format", "holds no picture"),
        ("rtdose.dcm", "unsupported_format", "32 bits"),
        ("JPGExtended.dcm", "unsupported_format", "JPEG of 12 bits"),
        ("badVR.dcm", "damaged", "cannot be read"),
    ],
)
def test_what_is_not_read_says_so(name, code, told):
    with pytest.raises(RefusedInput, match=told) as caught:
        open_image(shipped(name))
    assert caught.value.code == code


def test_a_compression_without_a_decoder_names_the_package():
    if pydicom.pixels.get_decoder(pydicom.uid.JPEGLSLossless).is_available:
        pytest.skip("a decoder of JPEG-LS is installed")
    with pytest.raises(RefusedInput, match="pip install python-gdcm") as caught:
        open_image(shipped("MR_small_jpeg_ls_lossless.dcm"))
    assert caught.value.code == "plugin_missing"


def test_monochrome1_is_inverted():
    plain, inverted = (
        grey(dicom(RAMP, PhotometricInterpretation=kind)) for kind in ("MONOCHROME2", "MONOCHROME1")
    )
    assert plain[0, 0] == 0 and plain[-1, -1] == 255
    assert np.array_equal(inverted, 255 - plain)


def test_the_first_window_counts_and_one_of_no_width_does_not():
    narrow = grey(dicom(RAMP, WindowCenter=[100, 2000], WindowWidth=[100, 4000]))
    assert narrow.ravel()[[50, 150]].tolist() == [0, 255]
    assert np.array_equal(grey(dicom(RAMP, WindowCenter=0, WindowWidth=0)), grey(dicom(RAMP)))


def test_signed_values_with_slope_and_intercept():
    values = RAMP.astype(np.int16) - 2048
    pixels = grey(dicom(values, RescaleSlope=2, RescaleIntercept=10, WindowCenter=10, WindowWidth=401))
    assert pixels.ravel()[[2048 - 101, 2048 + 101]].tolist() == [0, 255]
    assert abs(int(pixels.ravel()[2048]) - 128) <= 1


def test_twelve_of_sixteen_bits_whatever_the_others_hold():
    data = dicom(RAMP | 0xF000, BitsStored=12, HighBit=11)
    assert np.array_equal(grey(data), grey(dicom(RAMP, BitsStored=12, HighBit=11)))


def test_the_window_of_an_enhanced_file_lies_in_its_functional_groups():
    window, outer = pydicom.Dataset(), pydicom.Dataset()
    window.WindowCenter, window.WindowWidth = 100, 100
    outer.FrameVOILUTSequence = [window]
    data = dicom(RAMP, PerFrameFunctionalGroupsSequence=[outer])
    assert np.array_equal(grey(data), grey(dicom(RAMP, WindowCenter=100, WindowWidth=100)))


def test_a_table_of_interest_goes_before_the_window():
    item = pydicom.Dataset()
    item.add_new(0x00283002, "US", [4096, 0, 16])
    item.add_new(0x00283006, "OW", np.linspace(65535, 0, 4096).astype("<u2").tobytes())
    pixels = grey(dicom(RAMP, VOILUTSequence=[item], WindowCenter=1, WindowWidth=2))
    assert pixels[0, 0] == 255 and pixels[-1, -1] == 0


def test_colours_in_planes_and_in_turn_are_the_same():
    colours = np.random.default_rng(1).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(open_image(dicom(colours))), colours)
    planes = np.ascontiguousarray(colours.transpose(2, 0, 1)).reshape(8, 6, 3)
    assert np.array_equal(np.asarray(open_image(dicom(planes, PlanarConfiguration=1))), colours)


@pytest.mark.parametrize(
    ("elements", "code"),
    [
        ({"PhotometricInterpretation": "HSV"}, "unsupported_format"),
        ({"Rows": 0}, "no_pixels"),
        ({"Rows": None}, "no_pixels"),
        ({"Rows": 60000, "Columns": 60000}, "truncated"),
        ({"BitsStored": 17}, "damaged"),
        ({"RescaleSlope": "1e999", "RescaleIntercept": 0}, "damaged"),
    ],
)
def test_headers_that_make_no_picture(elements, code):
    with pytest.raises(RefusedInput) as caught:
        open_image(dicom(RAMP, **elements))
    assert caught.value.code == code


def test_a_claim_of_too_many_pixels_is_refused_before_decoding(monkeypatch):
    monkeypatch.setattr(decoding, "MAX_PIXELS", 4000)
    with pytest.raises(RefusedInput, match="64 x 64 pixels") as caught:
        open_image(dicom(RAMP))
    assert caught.value.code == "too_many_pixels"


def test_without_pydicom_the_command_is_named(monkeypatch):
    decoding._has_plugin.cache_clear()
    real = decoding.importlib.util.find_spec
    monkeypatch.setattr(
        decoding.importlib.util, "find_spec", lambda name: None if name == "pydicom" else real(name)
    )
    monkeypatch.setattr(decoding, "command_for", lambda extra: f"pip install what-{extra}-holds")
    with pytest.raises(RefusedInput, match="pip install what-medical-holds") as caught:
        open_image(dicom(RAMP))
    decoding._has_plugin.cache_clear()
    assert caught.value.code == "plugin_missing"


def test_a_tiff_mark_in_the_preamble_does_not_mislead():
    data = dicom(RAMP)
    assert np.array_equal(grey(b"II*\0" + data[4:]), grey(data))


def test_nothing_of_the_header_is_in_a_refusal():
    data = dicom(RAMP, WindowCenter=1, WindowWidth=1, PatientID="SECRET7").replace(
        b"MONOCHROME2", b"SECRET^^^^^"
    )
    with pytest.raises(RefusedInput) as caught:
        open_image(data)
    assert "SECRET" not in str(caught.value)


def test_the_header_keeps_only_the_picture():
    header = read_dicom(dicom(RAMP))
    assert (header.width, header.height, header.payload) == (64, 64, RAMP.tobytes())


SEEDS = [
    ("plain", lambda: dicom(RAMP[:8, :8], WindowCenter=5, WindowWidth=9)),
    ("rle", lambda: shipped("SC_rgb_rle_2frame.dcm")),
    ("deflated", lambda: dicom(RAMP[:8, :8], "1.2.840.10008.1.2.1.99")),
    ("jpeg", lambda: shipped("SC_rgb_small_odd_jpeg.dcm")),
    ("palette", lambda: shipped("examples_palette.dcm")),
]


@pytest.mark.parametrize("made", [made for _, made in SEEDS], ids=[name for name, _ in SEEDS])
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_hostile_bytes_leave_only_refusals(made, data):
    content = bytearray(made())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(128, min(len(content), 3000) - 1))
        content[at] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    try:
        image = open_image(bytes(content))
    except RefusedInput as refused:
        assert refused.code in CODES
    else:
        assert image.mode == "RGB"


def test_what_a_header_leaves_out_is_the_plainest_kind():
    without = dict.fromkeys(("PhotometricInterpretation", "PixelRepresentation", "NumberOfFrames"))
    values = RAMP * 16  # up to 65,520, which with a sign would be below zero
    assert np.array_equal(grey(dicom(values, **without)), grey(dicom(values)))
    colours = np.random.default_rng(1).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(open_image(dicom(colours, PhotometricInterpretation=None))), colours)


def test_colours_of_one_bit_and_unknown_transfer_syntaxes_are_refused_by_name():
    colours = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(RefusedInput, match="colour of 1 bit a value is not read"):
        open_image(dicom(colours, BitsAllocated=1, BitsStored=1, HighBit=0))
    data = pydicom.dcmread(io.BytesIO(dicom(RAMP)))
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.102"  # a film
    data.PixelData = pydicom.encaps.encapsulate([b"film"])
    file = io.BytesIO()
    data.save_as(file)
    with pytest.raises(RefusedInput, match="this transfer syntax of DICOM is not read"):
        open_image(file.getvalue())


def test_bytes_of_a_pixel_follow_values_and_colours():
    def needed(pixels, **elements):
        return read_dicom(dicom(pixels, **elements)).decoder_bytes

    assert needed(RAMP.astype(np.uint8)) == 1 * 2 + 2
    assert needed(RAMP) == 2 * 2 + 2
    assert needed(np.zeros((8, 8, 3), np.uint8)) == 3 * 2 + 8
    assert needed(RAMP.astype(np.uint8), BitsAllocated=1, BitsStored=1, HighBit=0) == 1 * 2 + 2
    assert read_dicom(shipped("SC_rgb_rle.dcm")).decoder_bytes == 3 * 6 + 8


def test_padding_is_read_with_the_sign_of_the_pixels():
    pixels = RAMP + 1000
    pixels[0, 0] = 65535
    found = grey(dicom(pixels, PixelPaddingValue=65535))
    assert (found[0, 1], found[-1, -1]) == (0, 255)
    signed = RAMP.astype(np.int16)
    signed[0, 0] = -2000
    for syntax in (
        "1.2.840.10008.1.2",
        "1.2.840.10008.1.2.1",
    ):  # implicit, which states no sign, and explicit
        found = grey(dicom(signed, syntax, PixelPaddingValue=-2000))
        assert (found[0, 1], found[0, 0], found[-1, -1]) == (0, 0, 255)


def test_a_window_without_a_centre_lies_at_zero():
    values = RAMP.astype(np.int16) - 2048
    alone, stated = (dicom(values, WindowWidth=2, **more) for more in ({}, {"WindowCenter": 0}))
    assert np.array_equal(grey(alone), grey(stated))


def test_the_function_of_a_window_is_that_of_its_frame():
    window, outer = pydicom.Dataset(), pydicom.Dataset()
    window.VOILUTFunction = "SIGMOID"
    outer.FrameVOILUTSequence = [window]
    whole = {"WindowCenter": 2000, "WindowWidth": 3000}
    nested = dicom(RAMP, **whole, VOILUTFunction="LINEAR", PerFrameFunctionalGroupsSequence=[outer])
    assert np.array_equal(grey(nested), grey(dicom(RAMP, **whole, VOILUTFunction="SIGMOID")))


def table_of(first, entries, bits=16):
    item = pydicom.Dataset()
    item.add_new(0x00283002, "US", [len(entries), first, bits])
    item.add_new(0x00283006, "OW", entries.tobytes())
    return [item]


@pytest.mark.parametrize(
    ("first", "pair"), [(65535, (-1, 0)), (32768, (-32768, -32767)), (32767, (32767, 0))]
)
def test_tables_of_signed_values_begin_below_zero(first, pair):
    signed = np.array([pair], dtype=np.int16)
    found = grey(dicom(signed, VOILUTSequence=table_of(first, np.array([0, 65535], "<u2"))))
    assert found.tolist() == [[0, 255 if pair[1] > pair[0] else 0]]


def test_a_table_of_eight_bits_may_be_packed_in_bytes():
    entries = np.arange(256, dtype=np.uint8)[::-1]
    pixels = RAMP.astype(np.uint8)
    assert np.array_equal(grey(dicom(pixels, VOILUTSequence=table_of(0, entries, 8))), 255 - pixels)
    wide = table_of(0, entries.astype("<u2"), 8)
    assert np.array_equal(grey(dicom(pixels, VOILUTSequence=wide)), 255 - pixels)


def test_colours_of_few_bits_in_many_stay_as_they_are():
    colours = np.random.default_rng(1).integers(0, 128, (8, 6, 3)).astype(np.uint16)
    assert np.array_equal(np.asarray(open_image(dicom(colours, BitsStored=7, HighBit=6))), colours)
