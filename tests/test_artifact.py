"""artifact.py and model_card.py: what a model file is, and that damage anywhere in it is seen."""

import hashlib
import json
import os
import pickle
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from fieldguide.artifact import load_model_file, seal
from fieldguide.errors import ModelFileError
from fieldguide.model_card import MAX_CLASSES
from tiny_model import CLASSES, PREPROCESSING, card, tiny_model, tiny_proto, with_card, write_tiny_model

GOLDEN = Path(__file__).parent / "golden"
WHOLE = tiny_model()


def load(tmp_path, content):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    return load_model_file(path)


# --- what is written stays readable


def test_a_file_of_the_first_version_is_read_and_answers_as_it_did():
    model = load_model_file(GOLDEN / "tiny.onnx")
    assert model.classes == CLASSES
    assert model.preprocessing == PREPROCESSING
    assert model.card == card()
    image = np.arange(24 * 40 * 3, dtype=np.uint32).reshape(1, 24, 40, 3) * [3, 1, 2] % 256
    session = onnxruntime.InferenceSession(model.content)
    for name, expected in json.loads((GOLDEN / "tiny.json").read_text()).items():
        (got,) = session.run([name], {"image": image.astype(np.uint8)})
        np.testing.assert_allclose(got[0], expected, atol=1e-6)


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


# --- damage (row 41)


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


# --- other files (rows 34 to 36)


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
from fieldguide.artifact import load_model_file
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


# --- the card (rows 40 and 42)


def deep(levels):
    return "[" * levels + "]" * levels


def changed_preprocessing(**changes):
    return card(preprocessing=PREPROCESSING.as_dict() | changes)


def without(key):
    return {name: value for name, value in card().items() if name != key}


CARDS = {
    "no JSON": ("{", "no JSON"),
    "not an object": ("[]", "no JSON object"),
    "deep": (json.dumps(card(data={}))[:-1] + ', "x": ' + deep(13) + "}", "nested more than 12"),
    "very deep": ('{"x": ' + deep(100_000) + "}", "no JSON"),
    "too large": (json.dumps(card(data={"x": "y" * 16_000_000})), "bytes, allowed are"),
    "NaN": (json.dumps(card(data={"x": float("nan")})), "NaN is not a number"),
    "a name twice": (json.dumps(card())[:-1] + ', "spec": 1}', "stands twice"),
    "not UTF-8": (b"\xff", None),
    "no spec": (without("spec"), "spec must be a whole number"),
    "spec true": (card(spec=True), "spec must be a whole number"),
    "spec as text": (card(spec="1"), "spec must be a whole number"),
    "newer": (card(spec=2), "newer fieldguide .spec 2, .*pip install --upgrade fieldguide"),
    "no classes": (without("classes"), "classes must be a list"),
    "classes as text": (card() | {"classes": "red"}, "classes must be a list"),
    "one class": (card(classes=["red"]), "classes must be a list of 2"),
    "too many classes": (card(classes=list(map(str, range(MAX_CLASSES + 1)))), "classes must be a list of 2"),
    "two classes": (card(classes=["red", "green"]), "columns of probabilities.*must be 2; the graph says 3"),
    "empty name": (card(classes=["red", "", "blue"]), "text of 1 to 1,000"),
    "long name": (card(classes=["red", "x" * 1001, "blue"]), "text of 1 to 1,000"),
    "name not text": (card(classes=["red", 3, "blue"]), "text of 1 to 1,000"),
    "name with NUL": (card(classes=["red", "a\0b", "blue"]), "text of 1 to 1,000"),
    "half a character": (card(classes=["red", "\ud800", "blue"]), "text of 1 to 1,000"),
    "same name twice": (card(classes=["red", "red", "blue"]), "different from one another"),
    "no preprocessing": (without("preprocessing"), "preprocessing must be an object"),
    "size of terabytes": (changed_preprocessing(size=10**6), "size must be a whole number from 1 to 2048"),
    "size a fraction": (changed_preprocessing(size=16.0), "size must be a whole number"),
    "unknown mode": (changed_preprocessing(mode="../x"), "mode must be one of squash, crop"),
    "filter unhashable": (changed_preprocessing(interpolation=[]), "interpolation must be one of"),
    "mean of two": (changed_preprocessing(mean=[0, 0]), "mean must be three numbers"),
    "std zero": (changed_preprocessing(std=[1, 1, 0]), "std must be above 0"),
    "no thresholds": (without("thresholds"), "thresholds must be an object"),
    "threshold 2": (card(thresholds={"unknown": 2}), "thresholds.unknown must be a number from 0 to 1"),
    "set as text": (card(thresholds={"unknown": 0.01, "set": "0"}), "thresholds.set must be a number"),
    "recipe a list": (card(recipe=[]), "recipe must be text"),
    "no licence": (card(backbone={"name": "x"}), "backbone.licence must be text"),
    "metrics a list": (card(metrics=[]), "metrics must be an object"),
}


@pytest.mark.parametrize("name", CARDS)
def test_a_card_that_is_not_one_is_refused_with_the_field_named(name, tmp_path):
    content, words = CARDS[name]
    if isinstance(content, bytes):
        model = with_card(tiny_proto(), "?!").replace(b"?!", content + b"!")
        words = "no JSON"
    else:
        model = with_card(tiny_proto(), content)
    with pytest.raises(ModelFileError, match=words):
        load(tmp_path, seal(model))


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "<img src=x onerror=alert(1)>", "=cmd()", "a\nb", "猫", "bad\udcff", "x" * 1000],
)
def test_class_names_are_kept_exactly_and_mean_nothing(name, tmp_path):
    model = load(tmp_path, tiny_model(classes=[name, "green", "blue"]))
    assert model.classes == (name, "green", "blue")


def test_unknown_fields_of_a_card_are_kept_and_ignored(tmp_path):
    assert load(tmp_path, tiny_model(auto_map={"x": "evil.py"})).card["auto_map"] == {"x": "evil.py"}


def test_a_model_without_backbone_or_promises_is_allowed(tmp_path):
    model = load(tmp_path, tiny_model(backbone=None, thresholds={"unknown": 0.01, "set": None}))
    assert model.card["backbone"] is None


def test_two_cards_or_none_are_refused(tmp_path):
    proto = tiny_proto()
    with pytest.raises(ModelFileError, match="no card"):
        load(tmp_path, seal(proto.SerializeToString()))
    proto.metadata_props.add(key="fieldguide", value=json.dumps(card()))
    proto.metadata_props.add(key="fieldguide", value=json.dumps(card()))
    with pytest.raises(ModelFileError, match="same key"):
        load(tmp_path, seal(proto.SerializeToString()))


def test_reading_needs_no_onnx_package(tmp_path):
    path = write_tiny_model(tmp_path / "model.onnx")
    code = f"import sys; from fieldguide.artifact import load_model_file as l; l({str(path)!r}); "
    code += "assert not {'onnx', 'google.protobuf', 'onnxruntime', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
