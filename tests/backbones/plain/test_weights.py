"""Which files of weights are read, and how safetensors are."""

import json
import struct

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from fieldguide.backbones.plain.weights import read_weights
from fieldguide.errors import BackboneError


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_safetensors_become_float32(tmp_path, kind):
    tensors = {"b.weight": (torch.randn(2, 3, generator=torch.Generator().manual_seed(0)) * 9).to(kind)}
    tensors["a.num_batches_tracked"] = torch.tensor(5)
    tensors["c"] = torch.ones(3)  # of another width, in the same file
    save_file(tensors, tmp_path / "w.safetensors")
    found = read_weights(tmp_path / "w.safetensors")
    assert set(found) == set(tensors)
    np.testing.assert_array_equal(found["b.weight"], tensors["b.weight"].float().numpy(), strict=True)
    assert found["a.num_batches_tracked"] == 5
    assert found["c"].dtype == np.float32


def test_numbers_too_large_for_float32_become_infinite_without_a_warning(tmp_path):
    save_file({"w": torch.tensor([1e300, 1.0], dtype=torch.float64)}, tmp_path / "w.safetensors")
    assert read_weights(tmp_path / "w.safetensors")["w"].tolist() == [np.inf, 1.0]


def safetensors(header, data):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 8,
        struct.pack("<Q", 2**40) + b"{}",
        safetensors({"w": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}, b"\0" * 8),
        safetensors({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, b"\0" * 4),
        safetensors({"w": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 8]}}, b"\0" * 8),
    ],
)
def test_damaged_safetensors_are_refused(tmp_path, content):
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(BackboneError, match="not a readable safetensors file"):
        read_weights(path)


def test_elements_that_numpy_lacks_are_refused_by_name(tmp_path):
    path = tmp_path / "w.safetensors"
    for beside in ("F32", "BF16"):
        size = 4 if beside == "F32" else 2
        header = {
            "v": {"dtype": beside, "shape": [1], "data_offsets": [0, size]},
            "w": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [size, size + 4]},
        }
        path.write_bytes(safetensors(header, b"\0" * (size + 4)))
        with pytest.raises(BackboneError, match=r"tensor w is F8_E4M3, allowed are .*BF16"):
            read_weights(path)


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("absent.pth", "no such weights file"),
        ("w.npz", r"ends in one of \.safetensors, \.pth, \.pt, \.bin, \.h5, \.keras, got \.npz"),
        ("w", "got no suffix"),
        ("empty.safetensors", "holds no tensors"),
    ],
)
def test_missing_foreign_and_empty_files_are_refused(tmp_path, name, match):
    for other in ("w.npz", "w"):
        (tmp_path / other).write_bytes(b"x")
    save_file({}, tmp_path / "empty.safetensors")
    with pytest.raises(BackboneError, match=match):
        read_weights(tmp_path / name)
