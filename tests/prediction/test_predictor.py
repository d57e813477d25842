"""predictor.py and prediction.py: any kind of image in, one answer each in order, at any number."""

import json
import os
import subprocess
import sys
import threading
import tracemalloc
from itertools import islice

import numpy as np
import onnxruntime
import pytest
from PIL import Image

import fieldguide
from fieldguide.errors import ModelFileError, OptionError, Refusal
from tiny_model import CLASSES, card, tiny_model, tiny_proto, with_card, write_tiny_model

COLOURS = {"red": (220, 30, 10), "green": (10, 200, 30), "blue": (20, 40, 250)}


def picture(name, size=(40, 30)):
    return Image.new("RGB", size, COLOURS[name])


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("model") / "model.onnx")


@pytest.fixture(scope="module")
def model(path):
    return fieldguide.load(path)


@pytest.fixture
def photos(tmp_path):
    """Twenty-three photos whose names say what they are, more than one batch; and one that is none."""
    paths = []
    for number in range(23):
        colour = CLASSES[number % 3]
        paths.append(str(tmp_path / f"{number:02}-{colour}.png"))
        picture(colour, (17 + number, 60 - number)).save(paths[-1])
    return paths


def test_every_kind_of_image_gets_the_same_answer(model, tmp_path):
    image = picture("green")
    image.save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    answers = model.predict([str(tmp_path / "a.png"), tmp_path / "a.png", content, image, np.asarray(image)])
    assert [answer.label for answer in answers] == ["green"] * 5
    assert len({answer.probability for answer in answers}) == 1
    assert [answer.path for answer in answers] == [str(tmp_path / "a.png")] * 2 + [None] * 3


def test_answers_are_those_of_plain_onnx_runtime_at_any_size(path, model):
    """The host's resize and the graph's own give the same, on noise, enlarged and made smaller."""
    random = np.random.default_rng(0)
    session = onnxruntime.InferenceSession(path.read_bytes())
    for shape in ((7, 5), (16, 16), (90, 33), (33, 190)):
        pixels = random.integers(0, 256, (*shape, 3), dtype=np.uint8)
        probabilities, typicality = session.run(["probabilities", "typicality"], {"image": pixels[None]})
        (answer,) = model.predict([pixels])
        np.testing.assert_allclose(answer.probabilities, probabilities[0], atol=1e-4)
        assert answer.typicality == pytest.approx(typicality[0], abs=1e-4)
        assert answer.label == CLASSES[int(probabilities[0].argmax())]


def test_the_row_is_the_contracts(model, photos, tmp_path):
    (tmp_path / "none.jpg").touch()
    good, bad = model.predict([photos[1], str(tmp_path / "none.jpg")], top=2)
    row = good.as_dict()
    assert list(row) == ["path", "label", "probability", "typicality", "unknown", "set", "top", "error"]
    assert row["path"] == photos[1]
    assert (row["label"], row["unknown"], row["set"], row["error"]) == ("green", False, ["green"], None)
    assert [list(entry) for entry in row["top"]] == [["label", "probability"]] * 2
    assert row["top"][0] == {"label": "green", "probability": row["probability"]}
    refused = bad.as_dict()
    assert refused == {
        "path": str(tmp_path / "none.jpg"),
        **dict.fromkeys(("label", "probability", "typicality", "unknown")),
        "set": [],
        "top": [],
        "error": {"code": "empty", "message": refused["error"]["message"]},
    }
    assert bad.probabilities is None
    assert json.loads(json.dumps([row, refused], allow_nan=False)) == [row, refused]


def test_one_bad_image_never_stops_the_rest(model, photos, tmp_path):
    (tmp_path / "page.jpg").write_text("<html>" * 50)
    earlier = Refusal("away", "link_outside", "the link leads out of the folder")
    sources = [photos[0], str(tmp_path / "page.jpg"), "missing.jpg", earlier, 3.5, photos[2]]
    answers = model.predict(sources)
    assert [answer.label for answer in answers] == ["red", None, None, None, None, "blue"]
    codes = [answer.error.code for answer in answers[1:5]]
    assert codes == ["not_an_image", "missing", "link_outside", "wrong_type"]
    assert [answer.path for answer in answers[1:5]] == [
        str(tmp_path / "page.jpg"),
        "missing.jpg",
        "away",
        None,
    ]


def test_grey_is_unknown_and_its_set_holds_all(model):
    (answer,) = model.predict([np.full((20, 20, 3), 128, np.uint8)])
    assert answer.unknown is True
    assert answer.set == CLASSES
    assert answer.typicality == 0.0


def test_classes_may_have_thresholds_of_their_own(photos, tmp_path):
    stated = {"unknown": 0.01, "coverage": 0.95, "set": 0.2}
    one = fieldguide.load(write_tiny_model(tmp_path / "one.onnx", thresholds=stated))
    by_class = {**stated, "set_by_class": [0.9, 0.0, 0.3]}
    each = fieldguide.load(write_tiny_model(tmp_path / "each.onnx", thresholds=by_class))
    pixels = np.full((30, 40, 3), (140, 120, 100), np.uint8)
    (plain,), (own,) = one.predict([pixels]), each.predict([pixels])
    shares = dict(plain.top)
    assert set(plain.set) == {name for name in CLASSES if shares[name] >= 0.2}
    floors = dict(zip(CLASSES, by_class["set_by_class"], strict=True))
    assert set(own.set) == {name for name in CLASSES if shares[name] >= floors[name]}
    assert set(own.set) != set(plain.set)


def test_a_stream_answers_in_order_whatever_takes_long(model, photos, monkeypatch):
    """Images are decoded out of order on purpose: the first of each pair waits for the second."""
    from fieldguide.prediction import predictor

    second_done, real = threading.Event(), predictor.open_for

    def slow(source, preprocessing):
        if source == photos[0]:
            assert second_done.wait(10)
        opened = real(source, preprocessing)
        if source == photos[1]:
            second_done.set()
        return opened

    monkeypatch.setattr(predictor, "open_for", slow)
    two_threads = fieldguide.prediction.predictor.Predictor(model._file, threads=2)
    answers = list(two_threads.predict_stream(iter(photos)))
    assert [answer.path for answer in answers] == photos
    assert [answer.label for answer in answers] == [path.split("-")[-1][:-4] for path in photos]


def test_a_stream_reads_no_more_than_a_window_ahead(model):
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield np.zeros((4, 4, 3), np.uint8)

    stream = model.predict_stream(endless())
    assert len(list(islice(stream, 100))) == 100
    stream.close()
    assert taken < 100 + 100


def test_memory_does_not_grow_with_the_number_of_images(model):
    image = np.zeros((16, 16, 3), np.uint8)
    stream = model.predict_stream(image for _ in range(10**9))
    for _ in islice(stream, 500):
        pass
    tracemalloc.start()
    try:
        for _ in islice(stream, 4000):
            pass
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        stream.close()
    assert grown < 1_000_000  # 4,000 answers kept would be more than 3 MB


def test_threads_end_with_the_stream(model):
    stream = model.predict_stream(np.zeros((4, 4, 3), np.uint8) for _ in range(10**9))
    next(stream)
    stream.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_an_error_of_the_source_itself_is_raised(model):
    def failing():
        yield np.zeros((4, 4, 3), np.uint8)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(model.predict_stream(failing()))


def test_several_threads_may_use_one_model(model, photos):
    answers = {}

    def work(number):
        answers[number] = [answer.label for answer in model.predict(photos)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({tuple(labels) for labels in answers.values()}) == 1
    assert len(answers) == 4


def test_a_model_says_what_it_is(model):
    assert model.classes == CLASSES
    assert model.card == card()
    assert model.thresholds == {"unknown": 0.01, "set": 0.05, "coverage": 0.95}
    assert len(model.digest) == 64


def test_run_gives_everything_for_a_batch_of_any_size(model):
    outputs = model.run(np.zeros((5, 9, 30, 3), np.uint8))
    assert outputs.probabilities.shape == (5, 3)
    assert outputs.typicality.shape == (5,)
    assert outputs.embedding.shape == (5, 3)
    np.testing.assert_allclose(outputs.probabilities.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    "one",
    ["a.jpg", b"x", Image.new("RGB", (2, 2)), np.zeros((2, 2, 3), np.uint8)],
    ids=lambda one: type(one).__name__,
)
def test_one_image_instead_of_a_list_is_said(one, model):
    with pytest.raises(OptionError, match=r"must be a list of images; got one .*; write \[image\]"):
        model.predict(one)


def test_no_images_have_no_answers(model):
    assert model.predict([]) == []


@pytest.mark.parametrize("threads", [0, -1, 1.5, True])
def test_threads_are_a_whole_number(threads, path):
    with pytest.raises(OptionError, match="threads: must be a whole number, 1 or more"):
        fieldguide.load(path, threads=threads)


@pytest.mark.parametrize("top", [-1, 2.0])
def test_top_is_a_whole_number(top, model):
    with pytest.raises(OptionError, match="top: must be a whole number"):
        model.predict([], top=top)


def loaded(tmp_path, proto):
    from fieldguide.modelfile.artifact import seal

    path = tmp_path / "model.onnx"
    path.write_bytes(seal(with_card(proto, card())))
    return fieldguide.load(path)


def test_a_width_that_only_running_shows_is_seen(tmp_path):
    """The file says nothing of the width of `probabilities`, and computes four columns for three classes."""
    proto = tiny_proto(weights=np.ones((3, 4), np.float32))
    output = next(o for o in proto.graph.output if o.name == "probabilities")
    output.type.tensor_type.shape.dim[1].Clear()
    with pytest.raises(ModelFileError, match="answers 1 images and 3 classes with arrays of shapes"):
        loaded(tmp_path, proto).predict([picture("red")])


def test_a_graph_that_cannot_run_is_a_sentence(tmp_path):
    proto = tiny_proto()
    next(n for n in proto.graph.node if n.op_type == "Softmax").attribute[0].i = 9
    with pytest.raises(ModelFileError, match=r"model\.onnx: (ONNX Runtime|the model cannot)"):
        loaded(tmp_path, proto).predict([picture("red")])


def test_an_answer_that_is_no_number_is_refused_for_that_image(tmp_path):
    proto = tiny_proto(weights=np.full((3, 3), 3e38, np.float32))
    good, bad = loaded(tmp_path, proto).predict([np.full((4, 4, 3), n, np.uint8) for n in (0, 200)])
    assert good.error is None
    assert bad.error.code == "no_answer"


def test_bytes_that_look_like_onnx_runtimes_own_format_are_read_as_onnx(monkeypatch, path):
    """The session is told the format; left to itself it would believe the bytes."""
    from fieldguide.modelfile import artifact
    from fieldguide.prediction import predictor

    monkeypatch.setattr(artifact, "_check_kind", lambda content: None)
    disguised = artifact.seal(b"\x32\x0c..ORTM......" + tiny_model())
    with pytest.raises(Exception, match=r"(?i)flatbuffer|ORT format|verif"):
        onnxruntime.InferenceSession(disguised, providers=["CPUExecutionProvider"])
    model_file = artifact.ModelFile("x", disguised, card(), "")
    assert predictor.Predictor(model_file).predict([picture("blue")])[0].label == "blue"


def test_no_training_library_is_loaded_for_an_answer(path, photos):
    code = "import sys, fieldguide; print(fieldguide.load(sys.argv[1]).predict([sys.argv[2]])[0].label); "
    code += "assert not {'torch', 'timm', 'sklearn', 'scipy', 'onnx', 'pyarrow'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, path, photos[2]], capture_output=True, text=True, check=True
    )
    assert done.stdout == "blue\n"
    assert done.stderr == ""


def test_a_path_keeps_its_odd_bytes(model, tmp_path):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff\n,=cmd.png")
    picture("red").save(name)
    (answer,) = model.predict([name])
    assert (answer.label, answer.path) == ("red", name)
