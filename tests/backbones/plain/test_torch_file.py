"""torch's files are read as torch reads them, and nothing in them is ever run."""

import collections
import copyreg
import functools
import io
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from fieldguide.backbones.plain.torch_file import read_torch
from fieldguide.backbones.plain.weights import read_weights
from fieldguide.errors import BackboneError
from torch_files_made import old_file, refused, tensor

OLD = {"_use_new_zipfile_serialization": False}
BOTH = pytest.mark.parametrize("layout", [{}, OLD], ids=["zip", "old"])


def state():
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 5, 3), torch.nn.BatchNorm2d(5))
    return module.state_dict()


def read(tmp_path, content, layout):
    path = tmp_path / "w.pth"
    torch.save(content, path, **layout)
    return read_torch(path)


def assert_same(found, wanted):
    assert list(found) == list(wanted)
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values.detach().numpy(), strict=True)


@BOTH
def test_a_state_dict_is_read_in_its_order(tmp_path, layout):
    assert_same(read(tmp_path, state(), layout), state())


@BOTH
def test_views_transposed_shared_empty_and_scalar_tensors(tmp_path, layout):
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    content = {
        "base": base,
        "row": base[2],
        "turned": base.T,
        "part": base[1:3, 2:5],
        "again": base,
        "steps": base.flatten()[::5],
        "none": torch.empty(0, 3),
        "scalar": torch.tensor(7),
    }
    assert_same(read(tmp_path, content, layout), content)


@BOTH
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64, torch.int64])
def test_elements_of_every_width(tmp_path, layout, kind):
    wanted = (torch.randn(50) * 100).to(kind)
    found = read(tmp_path, {"w": wanted}, layout)["w"]
    exact = wanted.float().numpy() if kind == torch.bfloat16 else wanted.numpy()
    np.testing.assert_array_equal(found, exact, strict=True)
    plain = read_weights(tmp_path / "w.pth")["w"]
    assert plain.dtype == (np.int64 if kind == torch.int64 else np.float32)


@BOTH
def test_parameters_and_wrappers(tmp_path, layout):
    parameter = torch.nn.Parameter(torch.ones(2, 3))
    optimizer = {
        "state": {0: {"step": torch.tensor(3.0)}},
        "param_groups": [{"lr": 0.1, "betas": (0.9, 0.99)}],
    }
    for wrapper in ("state_dict", "model"):
        content = {wrapper: {"w": parameter}, "epoch": 3, "best": None, "ok": True, "optimizer": optimizer}
        assert_same(read(tmp_path, content, layout), {"w": parameter})


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@BOTH
def test_every_binary_protocol(tmp_path, layout, protocol):
    path = tmp_path / "w.pth"
    torch.save(state(), path, pickle_protocol=protocol, **layout)
    assert_same(read_torch(path), state())


@BOTH
def test_large_keys_and_many_tensors(tmp_path, layout):
    content = {f"layer{number}.{'x' * 300}": torch.full((2,), float(number)) for number in range(400)}
    assert_same(read(tmp_path, content, layout), content)


def test_what_python_2_and_torch_0_3_wrote(tmp_path):
    """An OrderedDict made of a list of pairs, byte strings for names, `_rebuild_tensor`, parameters."""
    numbers = np.arange(6, dtype="<f4")
    storage = b"((U\x07storagectorch\nFloatStorage\nU\x01kU\x03cpuK\x06NtQ"
    tensor = b"ctorch._utils\n_rebuild_tensor\n(" + storage[1:] + b"K\x00K\x02K\x03\x86K\x03K\x01\x86tR"
    parameter = b"ctorch.nn.parameter\nParameter\n" + tensor + b"\x85R(\x88\x89}tb"
    items = b"](](U\x01w" + parameter + b"ee"
    body = b"\x80\x02ccollections\nOrderedDict\n" + items + b"\x85R."
    content = b"".join(
        (
            pickle.dumps(0x1950A86A20F9469CFC6C, 2),
            pickle.dumps(1001, 2),
            pickle.dumps({"protocol_version": 1001, "little_endian": True}, 2),
            body,
            pickle.dumps(["k"], 2),
            struct.pack("<q", 6) + numbers.tobytes(),
        )
    )
    path = tmp_path / "w.pth"
    path.write_bytes(content)
    found = read_torch(path)
    np.testing.assert_array_equal(found["w"], numbers.reshape(2, 3))
    wanted = torch.load(path, weights_only=True)
    assert_same(found, wanted)


# What must be refused.


class Runs:
    """Pickles as a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


SYSTEM = r"(posix|nt)\.system"
HOSTILE = {
    "os.system": (lambda flag: Runs(os.system, f"touch {flag}"), SYSTEM),
    "eval": (lambda flag: Runs(eval, f"open({str(flag)!r}, 'w')"), r"(builtins|__builtin__)\.eval"),
    "method": (lambda flag: Runs(Path.touch, Path(flag)), r"(builtins|__builtin__)\.getattr"),
    "nested": (lambda flag: [{"deep": (1, [Runs(os.system, f"touch {flag}")])}], SYSTEM),
    "reconstructor": (
        lambda flag: Runs(copyreg._reconstructor, Path, object, None),
        r"(copyreg|copy_reg)\._reconstructor",
    ),
    "partial": (lambda flag: Runs(functools.partial, os.system, f"touch {flag}"), r"functools\.partial"),
    "class": (lambda flag: collections.Counter("ab"), r"collections\.Counter"),
    "torch.load": (lambda flag: Runs(torch.load, str(flag)), r"torch\.serialization\.load"),
    "torch.Size": (lambda flag: torch.Size([1]), r"torch\.Size"),
}


@BOTH
@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("inside", [True, False], ids=["inside", "outside"])
def test_code_is_refused_by_name_and_not_run(tmp_path, kind, layout, inside):
    flag, path = tmp_path / "ran", tmp_path / "w.pth"
    make, name = HOSTILE[kind]
    evil = make(flag)
    torch.save({"w": torch.ones(2), "x": evil} if inside else evil, path, **layout)
    with pytest.raises(BackboneError, match=rf"objects other than tensors \({name}\)"):
        read_torch(path)
    assert not flag.exists()


def test_the_control_runs_its_code_where_one_lets_it(tmp_path):
    flag = tmp_path / "ran"
    torch.save({"x": Runs(os.system, f"touch {flag}")}, tmp_path / "w.pth")
    torch.load(tmp_path / "w.pth", weights_only=False)
    assert flag.exists()


def test_no_class_is_ever_looked_up(tmp_path):
    torch.save(state(), tmp_path / "good.pth")
    torch.save(state(), tmp_path / "old.pth", **OLD)
    torch.save({"x": Runs(os.system, "true")}, tmp_path / "bad.pth")
    code = """
import sys
seen = []
sys.addaudithook(lambda event, arguments: seen.append((event, arguments)))
import pickle
from pathlib import Path
from fieldguide.errors import BackboneError
from fieldguide.backbones.plain.weights import read_weights
for name in sys.argv[1:]:
    try:
        read_weights(Path(name))
    except BackboneError:
        assert name.endswith("bad.pth"), name
def found():
    watched = ("pickle.", "os.system", "subprocess")
    return [arguments for event, arguments in seen if event.startswith(watched)]
assert not found(), found()
pickle.loads(pickle.dumps(Path))
assert found()  # the control: the hook does see it
"""
    files = [str(tmp_path / name) for name in ("good.pth", "old.pth", "bad.pth")]
    subprocess.run([sys.executable, "-c", code, *files], check=True)


def test_the_file_that_the_next_tests_spoil_is_good(tmp_path):
    path = tmp_path / "w.pth"
    path.write_bytes(old_file(tensor()))
    np.testing.assert_array_equal(read_torch(path)["w"], np.zeros(6, np.float32))
    assert torch.load(path, weights_only=True)["w"].shape == (6,)


@pytest.mark.parametrize(
    ("view", "match"),
    [
        (b"K\0K\x07\x85K\x01\x85", "reaches beyond its 6 numbers"),
        (b"K\x01K\x06\x85K\x01\x85", "reaches beyond its 6 numbers"),
        (b"K\0K\x03\x85K\x03\x85", "reaches beyond its 6 numbers"),
        (b"K\0J\xff\xff\xff\x7f\x85K\0\x85", "reaches beyond its 6 numbers"),  # stride 0
        (b"K\0J\xff\xff\xff\xff\x85K\x01\x85", "not a natural number"),  # side -1
        (b"K\0K\x06\x85J\xff\xff\xff\xff\x85", "not a natural number"),  # stride -1
        (b"J\xff\xff\xff\xffK\x06\x85K\x01\x85", "not a natural number"),  # offset -1
        (b"K\0K\x02K\x03\x86K\x01\x85", "2 axes and 1 strides"),
        (b"K\0" + b"(" + b"K\x01" * 9 + b"t(" + b"K\x01" * 9 + b"t", "9 axes"),
        (b"K\0\x8a\x09" + b"\xff" * 8 + b"\0\x85K\x01\x85", "not a natural number"),
        (b"K\0]\x85K\x01\x85", "not a natural number"),
    ],
)
def test_sizes_that_lie_are_refused(tmp_path, view, match):
    refused(tmp_path, old_file(tensor(view=view)), match)


@pytest.mark.parametrize(
    ("storages", "match"),
    [
        (((7, b"\0" * 28),), "shorter or longer"),
        (((6, b"\0" * 20),), "shorter or longer"),
        (((-6, b"\0" * 24),), "shorter or longer"),
        (((2**62, b"\0" * 24),), "shorter or longer"),
        ((), "not a readable"),
    ],
)
def test_storages_that_lie_are_refused(tmp_path, storages, match):
    refused(tmp_path, old_file(tensor(), storages=storages), match)


def test_a_storage_that_is_larger_than_the_file_is_refused_before_memory_is_asked_for(tmp_path):
    whole = b"X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0kX\x03\0\0\0cpu\x8a\x06\0\0\0\0\0\x01N"
    content = old_file(tensor(storage=whole), storages=((2**40, b"\0" * 24),))
    refused(tmp_path, content, "shorter or longer")


@pytest.mark.parametrize("keys", [(), ("k", "k"), ("j",), ("k", "j"), ("k", 3)])
def test_lists_of_storages_that_lie_are_refused(tmp_path, keys):
    refused(tmp_path, old_file(tensor(), keys=keys), "its list of storages")


def test_views_of_views_cannot_fill_the_memory(tmp_path):
    body = tensor()[:-1]
    again = b"".join(b"X\x04\0\0\0" + f"{number:04}".encode() + b"h\x09" for number in range(9999))
    inner = b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n"
    inner += b"X\x01\0\0\0kX\x03\0\0\0cpuM\x10\x27NtQK\0M\x10\x27\x85K\x01\x85\x89}tRq\x09"
    assert body.endswith(b"s")
    content = old_file(
        b"\x80\x02}(X\x01\0\0\0w" + inner + again + b"u.", storages=((10_000, b"\0" * 40_000),)
    )
    refused(tmp_path, content, "more numbers than it is long")


@pytest.mark.parametrize(
    ("storage", "match"),
    [
        (b"X\x07\0\0\0storagectorch\nIntStorage\nX\x01\0\0\0kX\x03\0\0\0cpuK\x06N", r"torch\.IntStorage"),
        (b"X\x07\0\0\0storagecos\nFloatStorage\nX\x01\0\0\0kX\x03\0\0\0cpuK\x06N", r"os\.FloatStorage"),
        (b"X\x06\0\0\0modulectorch\nFloatStorage\nX\x01\0\0\0kX\x03\0\0\0cpuK\x06N", "not a plain storage"),
        (b"X\x07\0\0\0storageK\x01X\x01\0\0\0kX\x03\0\0\0cpuK\x06N", "not a plain storage"),
        (
            b"X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0kX\x03\0\0\0cpuK\x06X\x01\0\0\0vK\0K\x06\x87",
            "not a plain storage",
        ),
        (b"X\x07\0\0\0storagectorch\nFloatStorage\nK\x01X\x03\0\0\0cpuK\x06N", "int where a key belongs"),
    ],
)
def test_storages_of_other_kinds_are_refused_by_name(tmp_path, storage, match):
    refused(tmp_path, old_file(tensor(storage=storage)), match)


@BOTH
def test_a_file_cut_off_anywhere_is_refused(tmp_path, layout):
    path = tmp_path / "whole.pth"
    torch.save(state(), path, **layout)
    content = path.read_bytes()
    cuts = {*range(0, 300, 7), *range(0, len(content), 61), len(content) - 1}
    for cut in sorted(cuts):
        refused(tmp_path, content[:cut], "not a readable|objects other than tensors")


@BOTH
def test_a_changed_byte_is_refused_or_harmless(tmp_path, layout):
    path, random = tmp_path / "w.pth", np.random.default_rng(0)
    torch.save(state(), path, **layout)
    content = path.read_bytes()
    for place in random.integers(0, len(content), 400):
        changed = bytearray(content)
        changed[place] ^= 1 << random.integers(8)
        path.write_bytes(changed)
        try:
            found = read_torch(path)
        except BackboneError:
            continue
        assert sum(values.size for values in found.values()) < 1000


def zipped(members, compression=zipfile.ZIP_STORED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


ZIPPED = tensor(storage=b"X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0kX\x03\0\0\0cpuK\x06")


def test_the_zip_that_the_next_tests_spoil_is_good(tmp_path):
    path = tmp_path / "w.pth"
    path.write_bytes(zipped({"a/data.pkl": ZIPPED, "a/data/k": b"\0" * 24}))
    assert read_torch(path)["w"].shape == (6,)


@pytest.mark.parametrize(
    ("members", "match"),
    [
        ({"a/data.pkl": ZIPPED}, "member data/k is missing"),
        ({"b/data.pkl": ZIPPED, "a/data/k": b"\0" * 24}, "member data/k is missing"),
        ({"a/data/k": b"\0" * 24}, "member data.pkl is missing"),
        ({"a/data.pkl": ZIPPED, "a/data/k": b"\0" * 20}, "shorter or longer"),
        ({"a/data.pkl": ZIPPED, "a/data/k": b"\0" * 28}, "shorter or longer"),
        ({"a/data.pkl": ZIPPED, "a/data/k": b"\0" * 24, "a/byteorder": b"big"}, "little-endian"),
        ({"a/data.pkl": ZIPPED, "a/data/k": b"\0" * 24, "a/constants.pkl": b""}, "TorchScript"),
        ({"a/data.pkl": b"\x80\x02cos\nsystem\n."}, r"os\.system"),
    ],
)
def test_zips_that_do_not_hold_what_they_say_are_refused(tmp_path, members, match):
    refused(tmp_path, zipped(members), match)


def test_a_zip_that_swells_is_refused(tmp_path):
    content = zipped({"a/data.pkl": ZIPPED, "a/data/k": b"\0" * 24}, zipfile.ZIP_DEFLATED)
    refused(tmp_path, content, "its member data.pkl is compressed")


def test_a_zip_whose_sizes_lie_is_refused(tmp_path):
    content = zipped({"a/data.pkl": ZIPPED, "a/data/k": b"\0" * 24})
    sizes = struct.pack("<II", 24, 24)
    assert content.count(sizes) == 2
    for wanted, match in (
        (25, "not a readable"),
        (len(content) - 20, "its members are larger than the file"),
        (2**31, "its members are larger than the file"),
        (2**32 - 2, "its members are larger than the file"),
    ):
        refused(tmp_path, content.replace(sizes, struct.pack("<II", wanted, wanted)), match)


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, [torch.ones(1)], torch.ones(1), {3: torch.ones(1)}])
@BOTH
def test_a_file_that_holds_no_named_tensors_is_refused(tmp_path, content, layout):
    path = tmp_path / "x.pth"
    torch.save(content, path, **layout)
    with pytest.raises(BackboneError, match="one mapping from names to tensors"):
        read_torch(path)
