"""artifact.py: what a model file is, and that damage anywhere in it is seen."""

import hashlib
import json
import os
import pickle
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

from fieldguide.errors import ModelFileError
from fieldguide.modelfile.artifact import load_model_file, seal
from fieldguide.modelfile.card import SPEC, SPEC_OF_TAGS
from fieldguide.tasks.task import Task
from model_made import load
from tiny_model import (
    CLASSES,
    PREPROCESSING,
    card,
    tag_card,
    tiny_model,
    tiny_proto,
    with_card,
    write_tiny_model,
)

GOLDEN = Path(__file__).parents[1] / "golden"
WHOLE = tiny_model()


FIRST = {
    key: value for key, value in PREPROCESSING.as_dict().items() if key not in ("shrink", "scaled_decoding")
}
GOLDEN_FILES = {
    "tiny": (card(spec=1, preprocessing=FIRST), replace(PREPROCESSING, shrink="none", scaled_decoding=False)),
    "tiny-2": (card(), PREPROCESSING),
    "tags": (tag_card(), PREPROCESSING),
}
WIDTHS = {"tiny": 40, "tiny-2": 140, "tags": 140}
"""Of the image whose answers stand beside the file; all but the first are wide enough to be halved."""


def golden_image(name):
    width = WIDTHS[name]
    image = np.arange(24 * width * 3, dtype=np.uint32).reshape(1, 24, width, 3) * [3, 1, 2] % 256
    return image.astype(np.uint8)


@pytest.mark.parametrize("name", GOLDEN_FILES)
def test_a_file_of_each_version_is_read_and_answers_as_it_did(name):
    model = load_model_file(GOLDEN / f"{name}.onnx")
    assert model.classes == CLASSES
    assert (model.card, model.preprocessing) == GOLDEN_FILES[name]
    session = onnxruntime.InferenceSession(model.content)
    pixels = model.preprocessing.resize(Image.fromarray(golden_image(name)[0]))
    for output, expected in json.loads((GOLDEN / f"{name}.json").read_text()).items():
        for image in (golden_image(name), pixels[None]):
            (got,) = session.run([output], {"image": image})
            np.testing.assert_allclose(got[0], expected, atol=1e-6)


def test_a_file_of_tags_says_so_and_one_of_labels_stays_of_the_version_before():
    assert load_model_file(GOLDEN / "tags.onnx").task is Task.MULTIPLE
    assert load_model_file(GOLDEN / "tiny.onnx").task is Task.SINGLE
    assert (SPEC, SPEC_OF_TAGS) == (2, 3)


def test_the_seal_is_87_bytes_that_docs_describe():
    content = (GOLDEN / "tiny.onnx").read_bytes()
    body, tail = content[:-87], content[-87:]
    assert tail == b"rU\n\x11fieldguide.sha256\x12@" + hashlib.sha256(body).hexdigest().encode()


def test_a_sealed_file_is_an_onnx_model_with_the_seal_among_its_metadata():
    properties = {entry.key: entry.value for entry in onnx.load_from_string(WHOLE).metadata_props}
    assert json.loads(properties["fieldguide"]) == card()
    assert properties["fieldguide.sha256"] == hashlib.sha256(WHOLE[:-87]).hexdigest()


def test_sealing_again_changes_nothing():
    assert seal(WHOLE) == WHOLE


def test_what_was_read_is_what_runs(tmp_path):
    model = load(tmp_path, WHOLE)
    assert model.content == WHOLE
    assert model.digest == hashlib.sha256(WHOLE[:-87]).hexdigest()


def test_a_flipped_bit_anywhere_is_seen(tmp_path):
    random = np.random.default_rng(0)
    places = {*random.integers(0, len(WHOLE), 900).tolist(), *range(50), *range(len(WHOLE) - 100, len(WHOLE))}
    for place in sorted(places):
        damaged = bytearray(WHOLE)
        damaged[place] ^= 1 << int(random.integers(8))
        with pytest.raises(ModelFileError, match=r"model\.onnx: "):
            load(tmp_path, bytes(damaged))


def test_a_cut_anywhere_is_seen(tmp_path):
    for length in (*range(0, len(WHOLE), 397), *range(len(WHOLE) - 90, len(WHOLE))):
        with pytest.raises(ModelFileError):
            load(tmp_path, WHOLE[:length])


def test_bytes_behind_the_seal_are_seen(tmp_path):
    for more in (b"\0", WHOLE[-87:], b"rU"):
        with pytest.raises(ModelFileError):
            load(tmp_path, WHOLE + more)


def test_onnx_runtime_alone_takes_many_damaged_files():
    """Why there is a seal: the naive reader lets flipped weights pass."""
    weight = WHOLE.index(np.float32(8).tobytes())
    damaged = bytearray(WHOLE)
    damaged[weight + 2] ^= 0x40
    assert onnxruntime.InferenceSession(bytes(damaged)) is not None


class Bomb:
    def __reduce__(self):
        return (os.system, ("exit 1",))


def zipped(folder):
    path = folder / "weights.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Bomb()))
    return path.read_bytes()


OTHERS = {
    "empty": (lambda folder: b"", "it is empty"),
    "pickle 4": (lambda folder: pickle.dumps(Bomb(), 4), "pickle"),
    "pickle 2": (lambda folder: pickle.dumps(Bomb(), 2), "pickle"),
    "pickle 0": (lambda folder: pickle.dumps(Bomb(), 0), "seal"),
    "pickle, sealed": (lambda folder: seal(pickle.dumps(Bomb(), 0)), "not a model file"),
    "pickle behind a null": (lambda folder: b"\0" + pickle.dumps(Bomb(), 4), "seal"),
    "PyTorch zip": (zipped, "zip archive"),
    "zip with a broken checksum": (
        lambda folder: zipped(folder).replace(b"PK\1\2", b"PK\1\3"),
        "zip archive",
    ),
    "NumPy objects": (lambda folder: b"\x93NUMPY\1\0v\0{'descr': '|O'", "NumPy"),
    "HDF5": (lambda folder: b"\x89HDF\r\n\x1a\n", "HDF5"),
    "gzipped": (lambda folder: b"\x1f\x8b\x08" + bytes(40), "gzip"),
    "safetensors": (lambda folder: (2).to_bytes(8, "little") + b'{"a":0}', "safetensors"),
    "ONNX Runtime's format": (lambda folder: b"\x1c\0\0\0ORTM" + bytes(90), "own format"),
    "picture": (lambda folder: b"\xff\xd8\xff\xe0" + bytes(200), "seal"),
    "random, sealed": (lambda folder: seal(np.random.default_rng(1).bytes(4000)), "not a model file"),
    "no seal": (lambda folder: WHOLE[:-87], "seal"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_files_are_refused_by_content_whatever_their_name(name, tmp_path):
    make, words = OTHERS[name]
    with pytest.raises(ModelFileError, match=words):
        load(tmp_path, make(tmp_path))


def test_nothing_is_ever_unpickled_or_executed(tmp_path):
    """In a process of its own, since an audit hook stays; with a control that shows that the hook sees."""
    for number, (make, _) in enumerate(OTHERS.values()):
        (tmp_path / f"{number}.onnx").write_bytes(make(tmp_path))
    code = """
import pathlib, pickle, sys
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.errors import ModelFileError
events = []
watched = ("pickle.find_class", "os.system", "subprocess.Popen", "exec")
sys.addaudithook(lambda name, args: events.append(name) if name in watched else None)
refused = 0
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.onnx")):
    try:
        load_model_file(path)
    except ModelFileError:
        refused += 1
seen, _ = list(events), pickle.loads(b"cbuiltins\\nlen\\n.")
print(refused, seen, events[-1:])
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout == f"{len(OTHERS)} [] ['pickle.find_class']\n"


@pytest.mark.parametrize(
    ("name", "words"),
    [("missing.onnx", "No such file"), (".", "folder"), ("pipe", "not a file"), ("a\0b", "no such name")],
)
def test_what_is_no_file_is_refused(name, words, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelFileError, match=words):
        load_model_file(f"{tmp_path}/{name}")


def test_a_file_above_the_limit_is_not_read(tmp_path):
    path = tmp_path / "huge.onnx"
    with path.open("wb") as file:
        file.truncate(2_000_000_001)
    with pytest.raises(ModelFileError, match="2,000,000,001 bytes, at most 2,000,000,000"):
        load_model_file(path)


def test_a_missing_model_file_says_which(tmp_path):
    with pytest.raises(ModelFileError, match=re.escape(f"{tmp_path}/none.onnx: ")):
        load_model_file(tmp_path / "none.onnx")


def test_reading_needs_no_onnx_package(tmp_path):
    path = write_tiny_model(tmp_path / "model.onnx")
    code = f"import sys; from fieldguide.modelfile.artifact import load_model_file as l; l({str(path)!r}); "
    code += "assert not {'onnx', 'google.protobuf', 'onnxruntime', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


# --- files that another program has written anew


def by_fieldguide(proto=None):
    """The tiny model as an onnx.ModelProto with card and seal, as `train` names its maker."""
    proto = proto or tiny_proto()
    proto.producer_name = "fieldguide"
    return onnx.load_from_string(seal(with_card(proto, card())))


def test_a_file_whose_weights_were_moved_beside_it_is_told_so(tmp_path):
    path = tmp_path / "model.onnx"
    onnx.save_model(by_fieldguide(), path, save_as_external_data=True, size_threshold=0)
    with pytest.raises(ModelFileError, match=r"moved its weights .* as MLflow.*log_artifact"):
        load_model_file(path)


@pytest.mark.parametrize("keeps_seal", [True, False])
def test_a_file_that_a_simplifier_wrote_is_told_so(tmp_path, keeps_seal):
    proto = by_fieldguide()
    proto.producer_name = "onnx-simplifier"
    if not keeps_seal:
        del proto.metadata_props[-1]
    path = tmp_path / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(ModelFileError, match=r"\('onnx-simplifier'\) has rewritten it.*export"):
        load_model_file(path)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda props: props.add(key="onnxsim.removed_nodes.count", value="7"), "'onnxsim'"),  # as it does
        (lambda props: props.sort(key=lambda entry: entry.key, reverse=True), "not named"),  # ONNX Runtime
    ],
)
def test_a_file_whose_seal_is_no_longer_its_end_is_told_so(tmp_path, change, name):
    proto = by_fieldguide()
    change(proto.metadata_props)
    path = tmp_path / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(ModelFileError, match=rf"another program \({name}\) has rewritten it"):
        load_model_file(path)


def test_a_file_that_was_changed_by_somebody_who_keeps_the_name_is_told_both_ways_out(tmp_path):
    proto = by_fieldguide()
    proto.graph.node[0].name = "other"
    path = tmp_path / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(ModelFileError, match=r"damaged in transit, .* if another program changed"):
        load_model_file(path)
