"""Heat maps of an exported page, in Node: those of `explain`, for every way in which scores add up."""

import json

import numpy as np
import pytest

from fieldguide.explanation.contributions import ContributionMapper
from fieldguide.explanation.overlay import colours
from fieldguide.explanation.portable_readout import portable_readout
from fieldguide.images.decoding import open_image
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.learning import train
from fieldguide.learning.train import TrainOptions
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.modelfile.exports import web
from fieldguide.recipes.common import Options, Run
from layered_model import write_layered_model
from mapped_model import KINDS, write_mapped_model
from odd_photos import photo
from web_made import MADE, run, runtime

EXPLAIN = """
import { readFile } from "node:fs/promises";
import { load } from "./page/fieldguide.js";
const model = await load();
const pixels = { data: await readFile("photo.rgb"), width: 90, height: 60 };
const told = async (options) => {
  try {
    return await model.explain(pixels, options);
  } catch (error) {
    return error.message;
  }
};
const plain = (heats) => heats.map?.((heat) => ({ ...heat, map: [...heat.map] })) ?? heats;
const jobs = JOBS;
const answers = [];
for (const options of jobs) answers.push(plain(await told(options)));
const { label } = await model.predict(pixels);
console.log(JSON.stringify({ explains: model.explains, label, answers }));
await model.close();
"""
MAPS_WITHIN = 2e-5
"""How far a place of a map may lie from Python's, relative to the map's largest place."""


def pixels():
    return np.asarray(photo().resize((90, 60)).convert("RGB"))


def explained(tmp_path, model, jobs, precision="float32", described=portable_readout):
    """What the page says to some options of `explain`."""
    web.write(load_model_file(model), tmp_path / "page", runtime(), precision, described)
    (tmp_path / "photo.rgb").write_bytes(pixels().tobytes())
    return json.loads(run(tmp_path, EXPLAIN.replace("JOBS", json.dumps(jobs))))


def assert_they_are_pythons(tmp_path, model, precision="float32", twin=None):
    """`twin` is the model that Python looks into, if not the page's own."""
    file = load_model_file(model)
    classes = list(file.classes)
    told = explained(tmp_path, model, [{"labels": classes}, {}, {"labels": classes[1:2]}], precision)
    inside = load_model_file(twin or tmp_path / "page" / "model.onnx")
    square = inside.preprocessing.resize(open_image(pixels()))
    columns = range(len(classes))
    expected = ContributionMapper(inside, 1)(np.stack([square] * len(classes)), columns)
    assert expected.exact.all() and told["explains"]
    every, best, one = told["answers"]
    assert [heat["label"] for heat in every] == classes
    for column, heat in enumerate(every):
        assert heat["size"] == inside.preprocessing.size
        found = np.array(heat["map"]).reshape(heat["size"], heat["size"])
        most = np.abs(expected.maps[column]).max()
        np.testing.assert_allclose(found, expected.maps[column], rtol=0, atol=MAPS_WITHIN * most)
        assert heat["bias"] == pytest.approx(expected.bias[column], rel=1e-8)
        assert heat["score"] == pytest.approx(expected.scores[column], abs=1e-4)
        assert heat["probability"] == pytest.approx(expected.probabilities[column, column], abs=1e-5)
        assert found.sum() + heat["bias"] == pytest.approx(heat["score"], abs=1e-3)
    assert [heat["label"] for heat in best] == [told["label"]]
    assert one == every[1:2]  # the weights are asked of the session only once


@pytest.mark.parametrize("tags", [False, True], ids=["labels", "tags"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_page_gives_the_maps_of_explain(tmp_path, kind, tags):
    # ONNX Runtime outside of browsers rounds what it multiplies by whole numbers: no map adds up there.
    other = "restored" if kind == "whole numbers" else kind
    twin = write_mapped_model(tmp_path / "twin.onnx", other, tags=tags)
    model = write_mapped_model(tmp_path / "model.onnx", kind, tags=tags)
    assert_they_are_pythons(tmp_path, model, twin=twin)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_page_gives_the_maps_of_a_trained_model(tmp_path, paint_classes, cache_of_the_tests, precision):
    folder, out = paint_classes(tmp_path / "photos", {"red": 12, "green": 12}), tmp_path / "model.onnx"
    options, run_ = Options(None, "fast", settings={"size": 64}), Run(cache=cache_of_the_tests)
    train.train(TrainOptions(folder, out, "linear-probe", options, run_))
    assert_they_are_pythons(tmp_path, out, precision)


def test_a_model_without_maps_says_why(tmp_path):
    told = explained(tmp_path, write_layered_model(tmp_path / "model.onnx"), [{}])
    reason = "its scores do not add up from places (MatMul stands between maps and scores)"
    assert (told["explains"], told["answers"]) == (False, [f"This model has no heat maps: {reason}."])


def test_an_export_that_was_not_told_how_has_none(tmp_path):
    told = explained(tmp_path, write_mapped_model(tmp_path / "model.onnx"), [{}], described=None)
    assert told["explains"] is False
    assert "not told" in told["answers"][0]


def test_a_map_that_does_not_add_up_is_not_given(tmp_path):
    def wrong(file):
        described = portable_readout(file)
        return {**described, "bias": [value + 0.002 for value in described["bias"]]}

    told = explained(tmp_path, write_mapped_model(tmp_path / "model.onnx"), [{}], described=wrong)
    assert told["answers"] == ["The heat map of this image does not add up to the score, so it is not shown."]


def test_another_label_is_refused(tmp_path):
    told = explained(tmp_path, write_mapped_model(tmp_path / "model.onnx"), [{"labels": ["red", "no"]}])
    assert told["answers"] == ["A label is none of the model's classes; see `classes`."]


def test_the_colours_are_those_of_explain(tmp_path):
    web.write(load_model_file(write_mapped_model(tmp_path / "model.onnx")), tmp_path / "page", MADE)
    code = 'import { colours } from "./page/overlay.js"; console.log(JSON.stringify([...colours()]));'
    np.testing.assert_array_equal(np.reshape(json.loads(run(tmp_path, code)), (-1, 3)), colours())


def test_a_map_lies_where_the_network_sees(tmp_path):
    web.write(load_model_file(write_mapped_model(tmp_path / "model.onnx")), tmp_path / "page", MADE)
    ways = [Preprocessing(16), Preprocessing(16, "crop"), Preprocessing(224), Preprocessing(9, shrink="none")]
    sizes = [(1, 1), (640, 480), (479, 641), (4003, 3001), (33, 700)]
    jobs = [(size, way.as_dict()) for size in sizes for way in ways]
    code = f"""
import {{ areaOf }} from "./page/resize.js";
const areas = {json.dumps(jobs)}.map(([[width, height], way]) => areaOf(width, height, way));
const box = ({{ left, top, width, height }}) => [left, top, left + width, top + height];
console.log(JSON.stringify(areas.map(box)));
"""
    found = json.loads(run(tmp_path, code))
    assert found == [list(way.area(*size)) for size in sizes for way in ways]
