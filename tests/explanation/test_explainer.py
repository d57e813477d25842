"""`explain` from Python and from the command line: what it says, draws, writes and refuses."""

import json

import numpy as np
import pytest
from PIL import Image

import fieldguide
from fieldguide import cli
from fieldguide.errors import OptionError, Refusal, RefusedInput
from fieldguide.explanation.explainer import heat_maps
from tiny_model import write_tiny_model


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FIELDGUIDE_CACHE", str(tmp_path / "cache"))
    write_tiny_model(tmp_path / "model.onnx")
    half("new.png").save(tmp_path / "new.png")
    return tmp_path


@pytest.fixture
def model(home):
    return fieldguide.load(home / "model.onnx")


@pytest.fixture
def run(capsys):
    def command(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def half(_name, left=(250, 0, 0), right=(0, 90, 0), size=(32, 48)):
    """A photo, red on its left and green on its right."""
    image = Image.new("RGB", size, left)
    image.paste(right, (size[0] // 2, 0, *size))
    return image


def test_the_places_that_speak_for_a_class_are_told(model):
    red, green, blue = (model.explain("new.png", label) for label in ("red", "green", "blue"))
    assert red.map.shape == (16, 16)
    assert red.map[:, :7].min() > 0 == red.map[:, 9:].max()
    assert green.map[:, 9:].min() > 0 == green.map[:, :7].max()
    assert blue.map.max() == 0
    for told in (red, green, blue):
        assert told.map.sum(dtype=float) + told.bias == pytest.approx(told.score, abs=1e-3)
        assert (told.exact, told.method, told.predicted) == (True, "contributions", "red")


def test_it_says_what_predict_says(model):
    told, (answer,) = model.explain("new.png"), model.predict(["new.png"])
    assert (told.label, told.probability) == (answer.label, answer.probability)
    assert (told.typicality, told.unknown) == (answer.typicality, answer.unknown)
    assert told.rival == answer.top[1][0]
    assert (told.path, told.size, told.area) == ("new.png", (32, 48), (0, 0, 32, 48))


def test_a_class_may_be_chosen_and_its_rival_is_the_best_of_the_others(model):
    assert model.explain("new.png", "blue").rival == "red"
    assert model.explain("new.png", "red").rival == "green"


def test_the_photo_is_taken_upright(home, model):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    Image.open("new.png").save("turned.png", exif=exif)
    told = model.explain("turned.png", "red")
    assert told.size == (48, 32)
    assert told.map[:7].min() > 0 == told.map[9:].max()


@pytest.mark.parametrize("given", ["bytes", "pixels", "image"])
def test_photos_come_in_every_form(home, model, given):
    forms = {
        "bytes": (home / "new.png").read_bytes(),
        "pixels": np.asarray(half("")),
        "image": half(""),
    }
    told = model.explain(forms[given])
    assert told.path is None
    np.testing.assert_array_equal(told.map, model.explain("new.png").map)


def test_what_cannot_be_explained_is_said(model):
    with pytest.raises(OptionError, match=r"label: must be one of .*'red', 'green', 'blue'; got 'hat'"):
        model.explain("new.png", "hat")
    with pytest.raises(RefusedInput, match="missing"):
        model.explain("gone.png")


def test_many_maps_at_once_are_the_same_maps(home, model):
    photos = ["new.png", "gone.png", half(""), Refusal("x", "missing", "gone"), *["new.png"] * 3]
    labels = ["red", "red", "green", "red", "blue", "green", "red"]
    maps = heat_maps(model, photos, labels)
    assert maps.shape == (7, 16, 16)
    for place in (0, 2, 4, 5, 6):
        np.testing.assert_allclose(maps[place], model.explain("new.png", labels[place]).map, atol=1e-7)
    assert np.isnan(maps[[1, 3]]).all()
    small = heat_maps(model, photos[:1], labels[:1], side=5)
    assert small.shape == (1, 5, 5)
    assert small.sum() == pytest.approx(maps[0].sum(), rel=1e-5)
    assert heat_maps(model, [], []).shape == (0, 16, 16)
    with pytest.raises(OptionError, match=r"labels: must be one an image, 2 in all; got 1"):
        heat_maps(model, photos[:2], labels[:1])


# --- the command


def test_the_command_draws_and_tells(home, run):
    code, out, err = run("explain", "model.onnx", "new.png", "--out", "map.png", "--json", "map.json")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith("answer: red, typicality ")
    assert "Exact." in out
    with Image.open("map.png") as drawn:
        assert drawn.format == "PNG"
        assert drawn.width > 1000
        assert not drawn.info
    told = json.loads((home / "map.json").read_text("ascii"))
    assert (told["label"], told["second"]["label"], told["exact"]) == ("red", "green", True)
    for one in (told, told["second"]):
        assert np.sum(one["map"]) + one["bias"] == pytest.approx(one["score"], abs=1e-3)
    assert "nearest" not in told


def test_json_on_standard_output_is_nothing_but_json(home, run):
    code, out, err = run(
        "explain", "model.onnx", "new.png", "--out", "m.png", "--label", "blue", "--json", "-"
    )
    assert code == 0
    assert json.loads(out)["label"] == "blue"
    assert "answer: red" in err


def test_a_photo_that_cannot_be_read_is_refused(home, run):
    (home / "broken.jpg").write_bytes(b"")
    code, out, err = run("explain", "model.onnx", "broken.jpg", "--out", "map.png")
    assert (code, out) == (1, "")
    assert err.startswith("refused broken.jpg: ")
    assert not (home / "map.png").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "map.jpg"], "must end in .png"),
        (["--out", "nowhere/map.png"], "does not exist"),
        (["--out", "map.png", "--label", "hat"], "label: must be one of"),
        (["--out", "map.png", "--train", "nowhere"], "nowhere: there is no such file or folder"),
    ],
)
def test_what_cannot_start_says_why(home, run, arguments, said):
    code, out, err = run("explain", "model.onnx", "new.png", *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert not (home / "map.png").exists()


def test_training_images_are_shown_and_listed(home, run):
    for colour, pixel in {"red": (240, 10, 10), "green": (10, 200, 10), "blue": (10, 10, 240)}.items():
        (home / "photos" / colour).mkdir(parents=True)
        for number in range(3):
            Image.new("RGB", (20, 20), tuple(c + number for c in pixel)).save(
                home / "photos" / colour / f"{number}.png"
            )
    half("").save(home / "photos" / "red" / "same.png")
    (home / "photos" / "red" / "broken.png").write_bytes(b"no image")
    code, _, err = run(
        "explain", "model.onnx", "new.png", "--out", "m.png", "--train", "photos", "--json", "m.json"
    )
    assert (code, err.count("embedding")) == (0, 1)
    first, *others = json.loads((home / "m.json").read_text())["nearest"]
    assert first["path"].endswith("same.png")
    assert (first["label"], first["similarity"]) == ("red", pytest.approx(1, abs=1e-3))
    assert len(others) == 5
    assert others[0]["label"] == "red"
    with Image.open("m.png") as drawn:
        assert drawn.height > 700
