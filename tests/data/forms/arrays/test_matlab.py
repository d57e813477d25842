"""MATLAB's files: cells and structures as lists, and what cannot be read as a sentence."""

import sys

import numpy as np
import pytest
from scipy.io import savemat

from fieldguide.data.forms.arrays import matlab
from fieldguide.errors import DataError
from form_samples_published import cells, structures


def test_cells_and_structures(tmp_path):
    file = tmp_path / "x.mat"
    savemat(file, {"names": cells(["a", "b c"]), "rows": structures([{"class": 1}]), "other": 1})
    found = matlab.variables(file, ["names", "rows", "absent"])
    assert set(found) == {"names", "rows"}
    assert matlab.as_list(found["names"]) == ["a", "b c"]
    assert matlab.as_list(found["rows"]) == [{"class": 1}]
    assert matlab.as_list(np.uint8(3)) == [3]


def test_a_damaged_file_is_a_sentence(tmp_path):
    file = tmp_path / "x.mat"
    savemat(file, {"X": np.arange(1000)}, do_compression=True)
    whole = file.read_bytes()
    assert matlab.is_matlab(file)
    for length in (0, 100, 140, len(whole) - 20):
        file.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"x\.mat: it is not a readable MATLAB file"):
            matlab.variables(file, ["X"])
    file.write_bytes(
        b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM" + b"\x89HDF\r\n\x1a\n"
    )
    with pytest.raises(DataError, match=r"must be of MATLAB version 5, got 7\.3"):
        matlab.variables(file, ["X"])


def test_without_scipy_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(DataError, match="needs the package scipy, which is missing; run: pip install"):
        matlab.variables(tmp_path / "x.mat", ["X"])
