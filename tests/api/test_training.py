"""`train`, `tune` and `pretrained`: the command's file and JSON, or a model that is held."""

import pytest

import fieldguide
from fieldguide.errors import OptionError, OutputError


def without_times(answer):
    return {name: value for name, value in answer.items() if name not in ("seconds", "model")}


@pytest.mark.parametrize("recipe", ["linear-probe", "svm"])
def test_the_same_call_gives_the_same_json_and_the_same_bytes(photos, tmp_path, command, recipe):
    theirs, ours = tmp_path / "theirs.onnx", tmp_path / "ours.onnx"
    code, answer = command(
        "train", photos, "--out", theirs, "--recipe", recipe, "--preset", "fast", "--seed", 3
    )
    result = fieldguide.train(photos, out=ours, recipe=recipe, preset="fast", seed=3)
    assert code == 1 and answer["images"]["refused"] == 1
    assert ours.read_bytes() == theirs.read_bytes()
    assert without_times(result.as_dict()) == without_times(answer)
    assert result.as_dict()["seconds"].keys() == answer["seconds"].keys()
    assert result.as_dict()["model"] == str(ours)


def test_without_out_the_model_is_held(photos, tmp_path):
    data = fieldguide.open_dataset(photos)
    result = fieldguide.train(data, preset="fast", set={"shrinkage": 0.7})
    assert result.as_dict()["model"] is None
    assert result.model.predict([data.paths[0]])[0].label == data.labels[0]
    result.save(tmp_path / "saved.onnx")
    written = fieldguide.train(photos, preset="fast", set={"shrinkage": 0.7}, out=tmp_path / "written.onnx")
    assert (tmp_path / "saved.onnx").read_bytes() == (tmp_path / "written.onnx").read_bytes()
    written.save(tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == (tmp_path / "written.onnx").read_bytes()


def test_what_a_recipe_does_not_take_is_said(photos):
    with pytest.raises(OptionError, match="--epochs: the recipe svm does not take it"):
        fieldguide.train(photos, recipe="svm", epochs=3)
    with pytest.raises(OptionError, match="--set: the recipe linear-probe has no option 'nothing'"):
        fieldguide.train(photos, set={"nothing": 1.0})
    with pytest.raises(OptionError, match="seed: must be a whole number"):
        fieldguide.train(photos, seed=-1)


def test_a_place_that_cannot_be_written_is_said_before_the_work(photos, tmp_path):
    with pytest.raises(OutputError, match="no such folder for the model file"):
        fieldguide.train(photos, out=tmp_path / "nowhere" / "model.onnx")


def test_tuning_holds_the_model_too(photos, tmp_path):
    result = fieldguide.tune(photos, backbone="efficientnet_lite0", trials=2, folds=2)
    assert result.as_dict()["train"]["model"] is None and len(result.trials) == 2
    result.save(tmp_path / "tuned.onnx")
    assert fieldguide.load(tmp_path / "tuned.onnx").classes == result.model.classes
    with pytest.raises(OptionError, match="must be trials or minutes"):
        fieldguide.tune(photos)


def test_an_interrupt_keeps_the_best_so_far(photos):
    def stop(stage, done, total):
        if (stage, done) == ("trials", 2):
            raise KeyboardInterrupt

    result = fieldguide.tune(photos, backbone="efficientnet_lite0", trials=50, folds=2, progress=stop)
    assert result.interrupted and len(result.trials) == 2 and len(result.model.classes) == 3
    assert "interrupted; the best so far was trained" in repr(result)


def test_pretrained_gives_the_model(tmp_path):
    model = fieldguide.pretrained("efficientnet_lite0", out=tmp_path / "imagenet.onnx")
    assert len(model.classes) == 1000
