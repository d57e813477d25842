"""Grey values after DICOM's pipeline, held against pydicom's functions."""

import numpy as np
import pytest

from fieldguide.images.dicom.greyscale import Greyscale, Lookup, Window, _bands, looked_up, present_values

ALL = np.ones(1 << 12, dtype=bool)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("center", "width"), [(40, 400), (1000.5, 1), (-300, 1500), (2048, 4096)])
def test_a_window_is_that_of_pydicom(function, center, width):
    pydicom = pytest.importorskip("pydicom", reason="the extra medical is not installed")
    data = pydicom.Dataset()
    data.PhotometricInterpretation, data.BitsStored, data.PixelRepresentation = "MONOCHROME2", 12, 0
    data.WindowCenter, data.WindowWidth, data.VOILUTFunction = center, width, function
    data.RescaleSlope, data.RescaleIntercept = 2, -1000
    values = np.arange(4096) * 2.0 - 1000
    low, high = -1000.0, 4095 * 2.0 - 1000
    with np.errstate(over="ignore"):
        shown = pydicom.pixels.apply_windowing(values, data)
    expected = (shown - low) / (high - low) * 255
    grey = Greyscale(12, slope=2, intercept=-1000, interest=Window(center, width, function)).table(ALL)
    assert np.abs(grey - np.clip(expected, 0, 255)).max() <= 0.501


def test_lookup_tables_are_those_of_pydicom():
    pydicom = pytest.importorskip("pydicom", reason="the extra medical is not installed")
    entries = np.arange(1000)[::-1].astype("<u2")
    data = pydicom.Dataset()
    item = pydicom.Dataset()
    item.add_new(0x00283002, "US", [1000, 50, 10])
    item.add_new(0x00283006, "OW", entries.tobytes())
    data.VOILUTSequence = [item]
    data.PixelRepresentation = 0
    data.set_original_encoding(False, True)
    expected = pydicom.pixels.apply_voi(np.arange(4096), data) / 1023 * 255
    grey = Greyscale(12, interest=Lookup(50, entries, 10)).table(ALL)
    assert np.abs(grey - expected).max() <= 0.501


def test_without_a_window_the_range_of_the_picture_is_shown_and_padding_does_not_count():
    present = np.zeros(1 << 12, dtype=bool)
    present[[0, 1000, 1500, 2000]] = True
    grey = Greyscale(12, padding=0).table(present)
    assert grey[[0, 1000, 1500, 2000, 4000]].tolist() == [0, 0, 128, 255, 255]


def test_padding_may_lie_below_zero_or_outside_of_what_the_bits_hold():
    present = np.zeros(1 << 12, dtype=bool)
    present[[48, 2048, 4095]] = True  # of signed values: -2000, 0 and 2047
    assert Greyscale(12, signed=True, padding=-2000).table(present)[[48, 2048, 4095]].tolist() == [0, 0, 255]
    for outside in (-1, 4096):
        assert Greyscale(12, padding=outside).table(present)[[48, 2048, 4095]].tolist() == [0, 126, 255]


def test_values_that_a_slope_makes_small_span_black_to_white():
    grey = Greyscale(12, slope=1e-4).table(ALL)
    assert (grey[0], grey[-1]) == (0, 255)


def test_eight_bits_without_a_window_stay_as_they_are():
    present = np.zeros(256, dtype=bool)
    present[100] = True
    assert np.array_equal(Greyscale(8).table(present), np.arange(256))


def test_signed_values_begin_below_zero_and_monochrome1_is_turned_around():
    grey = Greyscale(4, signed=True, inverted=True)
    assert grey.lowest == -8
    table = grey.table(np.ones(16, dtype=bool))
    assert (table[0], table[-1]) == (255, 0)


def test_a_modality_table_replaces_slope_and_intercept():
    lookup = Lookup(0, np.array([5, 0], dtype=np.uint8), 8)
    table = Greyscale(1, modality=lookup, interest=Window(2.5, 5, "LINEAR_EXACT")).table(
        np.ones(2, dtype=bool)
    )
    assert table.tolist() == [255, 0]


def test_a_flat_picture_is_no_division_by_zero():
    present = np.zeros(1 << 12, dtype=bool)
    present[7] = True
    assert Greyscale(12).table(present)[7] == 0


def test_pictures_go_through_the_table_band_by_band(monkeypatch):
    monkeypatch.setattr("fieldguide.images.dicom.greyscale.BAND_VALUES", 8)
    assert [band.stop - band.start for band in _bands(np.zeros((6, 4), np.int16))] == [2, 2, 2]
    assert [band.stop - band.start for band in _bands(np.zeros((2, 20), np.int16))] == [1, 1]
    pixels = np.arange(-6, 24, dtype=np.int16).reshape(6, 5)
    table = np.arange(20, dtype=np.uint8)
    assert np.array_equal(looked_up(pixels, 0, table), np.clip(pixels, 0, 19))
    assert present_values(pixels, 0, 20).all() and not present_values(pixels[3:4], 0, 20)[:9].any()
    colours = np.stack([table] * 3, axis=-1)
    assert looked_up(pixels, 0, colours).shape == (6, 5, 3)
