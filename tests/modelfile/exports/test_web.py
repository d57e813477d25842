"""The folder of a page: what lies in it, and what it says of the model."""

import hashlib
import json
import re

import pytest

from fieldguide.errors import OptionError, OutputError
from fieldguide.modelfile.artifact import load_model_file, seal
from fieldguide.modelfile.exports import int8, web
from fieldguide.modelfile.exports.conversion import WebOptions, export
from layered_model import layered
from tiny_model import card, with_card, write_tiny_model
from web_made import MADE, MADE_FOR_GPUS, package


def told(folder):
    return json.loads((folder / "card.json").read_bytes())


def test_the_model_lies_in_it_whole_and_sealed_and_its_card_beside_it(model, tmp_path):
    read, folder = load_model_file(model), tmp_path / "page"
    site = web.write(read, folder, MADE)
    inside = load_model_file(folder / "model.onnx")
    assert inside.content == int8.convert(read)
    exported = {"to": "web", "from": read.digest, "precision": "int8", "seal": inside.digest}
    assert told(folder)["exported"] == {**exported, "runtime": "onnxruntime-web 1.99.0"}
    assert told(folder)["classes"] == list(read.classes)
    assert told(folder)["thresholds"] == read.card["thresholds"]
    assert "contents" not in told(folder)["data"]
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == web.ALL - {web.GPU_SCRIPT, web.GPU_BINARY}
    assert site.bytes == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert (folder / "runtime" / "ort.js").read_bytes() == MADE.script
    assert "MIT License" in (folder / "licences.txt").read_text()


def test_weights_stay_as_they_are_where_that_is_asked_or_where_none_are_large(model, tmp_path):
    site = web.write(load_model_file(model), tmp_path / "exact", MADE, "float32")
    assert (site.precision, site.note) == ("float32", "")
    assert (tmp_path / "exact" / "model.onnx").read_bytes() == model.read_bytes()
    tiny = load_model_file(write_tiny_model(tmp_path / "tiny.onnx"))
    site = web.write(tiny, tmp_path / "tiny", MADE)
    assert (site.precision, site.note) == ("float32", "float32: this model has no large weights to round")
    with pytest.raises(OptionError, match="to int8: must hold a layer"):
        web.write(tiny, tmp_path / "other", MADE, "int8")
    with pytest.raises(OptionError, match="precision: must be one of auto, int8, float32; got 'half'"):
        web.write(tiny, tmp_path / "other", MADE, "half")
    assert not (tmp_path / "other").exists()


def test_a_model_of_8_bits_is_taken_as_it_is(model, tmp_path):
    small = tmp_path / "small.onnx"
    small.write_bytes(int8.convert(load_model_file(model)))
    web.write(load_model_file(small), tmp_path / "page", MADE)
    assert (tmp_path / "page" / "model.onnx").read_bytes() == small.read_bytes()
    assert told(tmp_path / "page")["exported"]["precision"] == "int8"


def test_the_service_worker_keeps_what_the_page_needs_under_a_version_of_its_own(model, tmp_path):
    read, kept = load_model_file(model), []
    for number, precision in enumerate(("int8", "int8", "float32")):
        web.write(read, tmp_path / str(number), MADE, precision)
        kept.append((tmp_path / str(number) / "service-worker.js").read_text())
    assert kept[0] == kept[1] != kept[2]
    names = json.loads(re.search(r"FILES = (\[.*\]);", kept[0])[1])
    assert {"./", "index.html", "model.onnx", "card.json", "runtime/ort.js"} <= set(names)
    assert all((tmp_path / "0" / name).exists() for name in names)
    assert '"VERSION"' not in kept[0] and '"FILES"' not in kept[0]


def test_everything_that_a_file_asks_for_lies_beside_it(model, tmp_path):
    folder = tmp_path / "page"
    web.write(load_model_file(model), folder, MADE_FOR_GPUS)
    for path in folder.rglob("*.js"):
        if path.name != "ort.js":
            asked = re.findall(r'(?:from|import\(|new URL\()\s*"([\w./-]+\.\w+)"', path.read_text())
            assert [name for name in asked if not (folder / name).exists()] == [], path
    page = (folder / "index.html").read_text()
    asked = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert asked and [name for name in asked if not (folder / name).exists()] == []


def test_nothing_names_another_host(model, tmp_path):
    folder = tmp_path / "page"
    web.write(load_model_file(model), folder, MADE)
    for path in folder.iterdir():
        if path.suffix in (".js", ".html", ".css", ".webmanifest"):
            assert not re.search(r"https?:", path.read_text()), path


def test_the_page_may_load_nothing_from_elsewhere():
    page = web._own("index.html").decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert "unsafe-inline" not in policy and "http" not in policy and "*" not in policy


def test_an_earlier_export_is_replaced_and_nothing_else(model, tmp_path):
    read, folder = load_model_file(model), tmp_path / "page"
    web.write(read, folder, MADE)
    first = hashlib.sha256((folder / "model.onnx").read_bytes()).digest()
    web.write(read, folder, MADE, "float32")
    assert hashlib.sha256((folder / "model.onnx").read_bytes()).digest() != first
    (folder / "mine.txt").write_text("kept")
    with pytest.raises(OutputError, match="must be a new or empty folder"):
        web.write(read, folder, MADE)
    assert (folder / "mine.txt").read_text() == "kept"
    assert (folder / "model.onnx").read_bytes() == model.read_bytes()


def test_names_that_are_no_utf8_are_kept(model, tmp_path):
    names = ("caf\udce9", "<b>ä</b>", "tea")
    model.write_bytes(seal(with_card(layered()[0], json.dumps(card(classes=names)))))
    web.write(load_model_file(model), tmp_path / "page", MADE)
    assert tuple(told(tmp_path / "page")["classes"]) == names


def test_the_same_model_gives_the_same_bytes(model, tmp_path):
    for name in ("one", "two"):
        web.write(load_model_file(model), tmp_path / name, MADE)
    one, two = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("one", "two")
    )
    assert one == two


def test_the_card_says_how_heat_maps_come_about_where_somebody_knows(model, tmp_path):
    read, seen = load_model_file(model), []

    def described(file):
        seen.append(file.content)
        return {"exact": False, "reason": "made up"}

    web.write(read, tmp_path / "one", MADE, heat_maps=described)
    assert told(tmp_path / "one")["heat_maps"] == {"exact": False, "reason": "made up"}
    assert seen == [(tmp_path / "one" / "model.onnx").read_bytes()]  # of the file that is written
    web.write(read, tmp_path / "two", MADE)
    assert "heat_maps" not in told(tmp_path / "two")


def test_a_form_like_the_others(model, tmp_path):
    options = WebOptions(runtime=package(tmp_path / "runtime"))
    done = export(model, "web", tmp_path / "page", options)
    assert (done.path, done.beside) == (tmp_path / "page", tmp_path / "page" / "card.json")
    assert done.note.startswith("int8: about a third of the bytes")
    with pytest.raises(OptionError, match="precision, runtime and gpu are for web alone; got to core"):
        export(model, "core", tmp_path / "core.onnx", options)


def test_what_graphics_processors_need_lies_in_it_only_where_that_was_asked(model, tmp_path):
    read, folder = load_model_file(model), tmp_path / "page"
    web.write(read, folder, MADE_FOR_GPUS)
    assert (folder / web.GPU_BINARY).read_bytes() == MADE_FOR_GPUS.gpu_binary
    assert told(folder)["exported"]["gpu"] is True
    assert web.GPU_BINARY not in (folder / "service-worker.js").read_text()  # 27 MB for few
    web.write(read, folder, MADE)
    assert not (folder / web.GPU_SCRIPT).exists() and "gpu" not in told(folder)["exported"]


def test_graphics_processors_are_an_option_of_the_form(model, tmp_path):
    runtime = package(tmp_path / "runtime")
    for gpu in (False, True):
        export(model, "web", tmp_path / "page", WebOptions(runtime=runtime, gpu=gpu))
        assert (tmp_path / "page" / web.GPU_SCRIPT).exists() == gpu
