"""A network in torch from its weights file: nothing is unpickled, what does not fit is named."""

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from exports_made import MEANS, SIZE
from fieldguide.backbones.export import export
from fieldguide.backbones.timm_networks.build import first_mismatch, read_state
from fieldguide.errors import BackboneError
from tiny_backbone import tiny_weights


def test_weights_of_another_network_name_the_first_tensor(home, weights):
    state = load_file(weights)
    narrowed = {**state, "blocks.1.0.conv_exp.weight": state["blocks.1.0.conv_exp.weight"][:5].clone()}
    save_file(narrowed, home / "narrowed.safetensors")
    with pytest.raises(
        BackboneError, match=r"narrowed.*tensor blocks\.1\.0\.conv_exp\.weight has shape \(5,"
    ):
        export("test_efficientnet", weights=home / "narrowed.safetensors")
    del narrowed["bn1.bias"]
    save_file(narrowed, home / "short.safetensors")
    with pytest.raises(BackboneError, match=r"tensor bn1\.bias of shape \(24,\) is missing"):
        export("test_efficientnet", weights=home / "short.safetensors")


def test_weights_may_be_a_torch_file(weights, home, tiny):
    torch.save(load_file(weights), home / "same.pth")
    assert export("test_efficientnet", size=SIZE, weights=home / "same.pth", taps=MEANS).digest == tiny.digest


def test_weights_that_are_not_finite_are_refused(weights, home):
    state = load_file(weights)
    state["conv_head.weight"][0] = torch.nan
    save_file(state, home / "nan.safetensors")
    with pytest.raises(BackboneError, match="not finite"):
        export("test_efficientnet", size=SIZE, weights=home / "nan.safetensors")


def test_a_size_that_the_network_does_not_take_is_refused(home):
    with pytest.raises(BackboneError, match="does not take images of 100 pixels"):
        export("test_vit", size=100, weights=tiny_weights(home, "test_vit"))


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
