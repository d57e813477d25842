"""Small DICOM files, written by pydicom."""

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"


def dicom(pixels: NDArray[np.generic], syntax: str = EXPLICIT, **elements: Any) -> bytes:
    """A file with these pixels, of shape (height, width) or (height, width, 3).

    `elements` are keywords of DICOM; they overrule what follows from the pixels.
    """
    pydicom = pytest.importorskip("pydicom", reason="the extra medical is not installed")
    colour = pixels.ndim == 3
    found = pydicom.Dataset()
    found.file_meta = pydicom.dataset.FileMetaDataset()
    found.file_meta.TransferSyntaxUID = syntax
    found.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    found.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    found.PatientName = "SECRET^NAME"
    found.Rows, found.Columns = pixels.shape[:2]
    found.SamplesPerPixel = 3 if colour else 1
    found.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        found.PlanarConfiguration = 0
    found.BitsAllocated = found.BitsStored = pixels.dtype.itemsize * 8
    found.HighBit = found.BitsStored - 1
    found.PixelRepresentation = int(pixels.dtype.kind == "i")
    for keyword, value in elements.items():
        setattr(found, keyword, value)
    # The byte that makes the length even.
    raw = pixels.astype(pixels.dtype.newbyteorder(">" if syntax == BIG_ENDIAN else "<")).tobytes()
    found.add_new(0x7FE00010, "OW" if pixels.dtype.itemsize > 1 else "OB", raw + bytes(len(raw) % 2))
    file = io.BytesIO()
    found.save_as(file, enforce_file_format=True)
    return file.getvalue()


def shipped(name: str) -> bytes:
    """A test file that lies in pydicom's own wheel; nothing is downloaded."""
    data = pytest.importorskip("pydicom.data", reason="the extra medical is not installed")
    path = data.get_testdata_file(name, download=False)
    assert path is not None, name
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read()
