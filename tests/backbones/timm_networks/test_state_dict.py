"""Files of named tensors: nothing is unpickled, what does not fit is named."""

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from fieldguide.backbones.timm_networks.state_dict import first_mismatch, read_state
from fieldguide.errors import BackboneError


class Evil:
    def __init__(self, flag):
        self.flag = flag

    def __reduce__(self):
        return Path.touch, (self.flag,)


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin", ".safetensors"])
def test_a_pickle_with_code_is_refused_and_not_run(tmp_path, suffix):
    flag = tmp_path / "ran"
    plain, zipped = tmp_path / f"plain{suffix}", tmp_path / f"zipped{suffix}"
    plain.write_bytes(pickle.dumps({"weight": Evil(flag)}))
    torch.save({"weight": Evil(flag)}, zipped)
    for path in (plain, zipped):
        with pytest.raises(BackboneError, match=str(path)):
            read_state(path)
    assert not flag.exists()
    control = zipped.rename(tmp_path / "control.pth")
    torch.load(control, weights_only=False)  # the control: this file does run its code where one lets it
    assert flag.exists()


@pytest.mark.parametrize("name", ["cut.safetensors", "cut.pth"])
@pytest.mark.parametrize("kept", [0, 1, 9, 100, -1])
def test_a_truncated_file_is_refused(tmp_path, name, kept):
    whole = tmp_path / f"whole{Path(name).suffix}"
    (save_file if whole.suffix == ".safetensors" else torch.save)({"w": torch.ones(100)}, whole)
    read_state(whole)
    cut = tmp_path / name
    cut.write_bytes(whole.read_bytes()[:kept])
    with pytest.raises(BackboneError, match=r"not a readable|objects other than tensors"):
        read_state(cut)


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, [torch.ones(1)], torch.ones(1)])
def test_a_file_that_holds_no_named_tensors_is_refused(tmp_path, content):
    path = tmp_path / "x.pth"
    torch.save(content, path)
    with pytest.raises(BackboneError, match="one mapping from names to tensors"):
        read_state(path)


def test_a_checkpoint_that_wraps_its_tensors_is_read(tmp_path):
    path = tmp_path / "x.pth"
    torch.save({"state_dict": {"w": torch.ones(2)}, "epoch": 3}, path)
    assert list(read_state(path)) == ["w"]


@pytest.mark.parametrize(
    ("name", "match"), [("x.safetensors", "no such"), ("y.npz", r"ends in one of .*\.npz")]
)
def test_missing_and_foreign_files_are_refused(tmp_path, name, match):
    (tmp_path / "y.npz").write_bytes(b"x")
    with pytest.raises(BackboneError, match=match):
        read_state(tmp_path / name)


def test_the_first_tensor_that_does_not_fit_is_named():
    target = {"a": torch.empty(2), "b": torch.empty(3)}
    assert first_mismatch(target, target) is None
    assert "b has shape (2,), the network needs (3,)" in first_mismatch(
        {"a": target["a"], "b": torch.empty(2)}, target
    )
    assert "b of shape (3,) is missing" in first_mismatch({"a": target["a"]}, target)
    assert "c belongs to no part" in first_mismatch({**target, "c": torch.empty(1)}, target)
