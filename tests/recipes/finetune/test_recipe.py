"""Fine-tuning: it starts where the linear probe ended, learns from there, and never hands back the worse."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from fieldguide.errors import OptionError
from fieldguide.heads.tag_promises import fit_curves
from fieldguide.images.decoding import open_image
from fieldguide.recipes import linear_probe
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.finetune import job, presets, recipe, task
from fieldguide.recipes.finetune.interpolation import ChosenInterpolation, Interpolation
from fieldguide.training import loop

LOST = ChosenInterpolation(Interpolation(0.0), (1.0, 1.0), "linear probe handed back: tried", 0.5)
WON = ChosenInterpolation(Interpolation(1.0), (1.0, 1.0), "won", 0.5)


def answers(fitted, dataset, rows):
    session = onnxruntime.InferenceSession(fitted.network.SerializeToString())
    pixels = [fitted.preprocessing.resize(open_image(dataset.paths[row])) for row in rows]
    return session.run(["probabilities"], {"pixels": np.stack(pixels)})[0]


def test_the_file_answers_as_was_measured(dataset, given, winning):
    fitted = recipe.fit(dataset, *given())
    held = fitted.out_of_fold
    found = answers(fitted, dataset, held.rows)
    np.testing.assert_allclose(found, held.probabilities, atol=1e-3)
    assert (found.argmax(1) == held.probabilities.argmax(1)).all()
    assert [dataset.labels[row] for row in held.rows] == [fitted.classes[number] for number in held.labels]
    assert len(held.rows) + fitted.used == len(dataset)
    assert len(fitted.history) == 2


@pytest.mark.parametrize("layers", [0.3, 1.0])
def test_it_learns(dataset, given, winning, layers):
    fitted = recipe.fit(dataset, *given(layers=layers, epochs=8, learning_rate=2e-3))
    assert fitted.history[-1]["train_loss"] < fitted.history[0]["train_loss"]
    assert (fitted.out_of_fold.probabilities.argmax(1) == fitted.out_of_fold.labels).mean() > 0.8


def test_frozen_stages_did_not_move_and_the_others_did(dataset, given, winning):
    fitted = recipe.fit(dataset, *given(layers=0.3))
    stages = fitted.outcome.stages
    assert stages[0].moved == 0 and all(stage.moved > 0 for stage in stages[-2:])
    assert stages[-1].stage == "classifier"
    assert fitted.outcome.handed_back.point == "the fine-tuned network"
    assert fitted.outcome.summary() in fitted.choices


@pytest.mark.parametrize("backbone", ["test_efficientnet", "test_efficientnet_gn", "test_resnet"])
def test_it_starts_from_the_probe_and_ends_in_what_was_trained(dataset, given, monkeypatch, backbone):
    seen = {}
    real_task, real_promise = job.FinetuneTask, recipe.calibrated_network

    def task(network, source, plan, way):
        made = real_task(network, source, plan, way)
        seen["task"], seen["network"] = made, network
        seen["before"] = made.answers(network)[0].softmax(1).numpy()
        return made

    def promise(classifier, *rest):
        seen["after"] = seen["task"].answers(seen["network"])[0].numpy()
        return real_promise(classifier, *rest)

    def start(dataset, images, backbone, options, run):
        made = real_start(dataset, images, backbone, options, run)
        vectors = run.extract([dataset.paths[row] for row in images.table.rows[images.held]], backbone)
        scores = vectors.vectors @ made.probe.head.weights + made.probe.head.bias
        seen["probe"] = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        return made

    real_start = recipe.probe_of
    monkeypatch.setattr(job, "FinetuneTask", task)
    monkeypatch.setattr(recipe, "calibrated_network", promise)
    monkeypatch.setattr(recipe, "probe_of", start)
    monkeypatch.setattr(job, "choose", lambda *given, **others: WON)
    monkeypatch.setattr(job, "best_precision", lambda: ("32-true", "exact"))
    fitted = recipe.fit(dataset, *given(backbone=backbone, learning_rate=1e-4))
    np.testing.assert_allclose(seen["before"], seen["probe"], atol=2e-3)
    # Calibration divides the scores by one number.
    after = seen["after"] - seen["after"].mean(1, keepdims=True)
    logs = np.log(answers(fitted, dataset, fitted.out_of_fold.rows))
    logs -= logs.mean(1, keepdims=True)
    temperature = (after * logs).sum() / (logs * logs).sum()
    np.testing.assert_allclose(logs * temperature, after, atol=0.02 * np.abs(after).max())
    assert (logs.argmax(1) == after.argmax(1)).all()


class KilledError(Exception):
    """Stands for kill -9: nothing is saved on its way out."""


@pytest.mark.parametrize(("layers", "killed_at"), [(0.3, 2), (0.3, 5), (1.0, 4)])
def test_a_resumed_run_ends_in_the_same_file(
    dataset, given, winning, tmp_path, monkeypatch, layers, killed_at
):
    whole = recipe.fit(dataset, *given(layers=layers))
    steps = 2 * (whole.used // 16)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    real = task.FinetuneTask.set_rates

    def killed(task, share, end):
        if round(share * steps) == killed_at:
            raise KilledError
        real(task, share, end)

    monkeypatch.setattr(task.FinetuneTask, "set_rates", killed)
    folder = tmp_path / "run"
    with pytest.raises(KilledError):
        recipe.fit(dataset, *given(layers=layers, folder=folder))
    monkeypatch.setattr(task.FinetuneTask, "set_rates", real)
    resumed = recipe.fit(dataset, *given(layers=layers, folder=folder, resume=True))
    assert resumed.network == whole.network
    assert f"resumed after step {killed_at}" in "\n".join(resumed.choices)
    assert not folder.exists()


def test_where_it_does_not_win_the_linear_probe_is_handed_back(dataset, given, monkeypatch):
    monkeypatch.setattr(job, "choose", lambda *given, **others: LOST)
    fitted = recipe.fit(dataset, *given())
    probe = linear_probe.fit(dataset, Options(backbone="test_efficientnet", settings={"size": 64}), Run())
    assert fitted.network == probe.network
    assert fitted.used == len(dataset)
    assert fitted.choices[-len(probe.choices) :] == probe.choices
    assert "linear probe handed back: tried" in fitted.choices
    assert len(fitted.history) == 2


def test_the_rival_is_the_probe_that_linear_probe_would_give(dataset, given, monkeypatch):
    """It looks at photos as large as that recipe takes them, whatever fine-tuning works with."""
    preset = presets.FinetunePreset("test_efficientnet", 32, 1.0, 1, 0, "small")
    monkeypatch.setitem(presets.PRESETS, "balanced", preset)
    usual = linear_probe.LinearProbePreset("test_efficientnet", 64, "larger")
    monkeypatch.setitem(linear_probe.PRESETS, "balanced", usual)
    seen = []

    real = recipe.baseline_of

    def baseline(*given):
        seen.append(real(*given))
        return seen[0]

    monkeypatch.setattr(recipe, "baseline_of", baseline)
    monkeypatch.setattr(job, "choose", lambda *given, **others: LOST)
    _, run = given()
    fitted = recipe.fit(dataset, Options(settings={"epochs": 1}), run)
    probe = linear_probe.fit(dataset, Options(), run)
    assert fitted.network == probe.network
    assert fitted.preprocessing.size == seen[0].backbone.preprocessing.size == 64
    held = int(0.2 * len(dataset))
    assert abs(len(seen[0].scores) - held) <= 3
    # Other pixels, other features: the probe that fine-tuning starts from would give other scores.
    assert seen[0].scores.shape[1] == 3


def test_rare_classes_weigh_more_and_the_shares_go_to_calibration(dataset, given, winning):
    rows = [
        row
        for row, label in enumerate(dataset.labels)
        if label != "blue" or int(Path(dataset.paths[row]).stem) < 8
    ]
    fitted = recipe.fit(dataset.take(rows), *given())
    told = "\n".join(fitted.choices)
    assert "class weights: images of the rarest class weigh 1." in told
    np.testing.assert_allclose(
        answers(fitted, dataset.take(rows), fitted.out_of_fold.rows),
        fitted.out_of_fold.probabilities,
        atol=1e-3,
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": 1.5}, r"layers: must be a number, more than 0 and at most 1; got 1\.5"),
        ({"backbone": "test_resnet+test_efficientnet"}, "backbone: finetune trains one"),
        ({"augment": "wild"}, "augmentation: must be one of"),
    ],
)
def test_what_is_out_of_range_is_refused(dataset, given, options, message):
    with pytest.raises(OptionError, match=message):
        recipe.fit(dataset, *given(**options))


def test_an_unknown_preset_is_refused(dataset):
    with pytest.raises(OptionError, match="preset: must be one of fast, balanced, best"):
        recipe.fit(dataset, Options(preset="huge"), Run())


def test_of_tags_it_starts_from_the_probe_and_the_file_is_what_was_trained(tagged, given, monkeypatch):
    seen = {}
    real_task, real_promise, real_start = job.FinetuneTask, recipe.calibrated_network, recipe.probe_of

    def task(network, source, plan, way):
        made = real_task(network, source, plan, way)
        seen["task"], seen["network"] = made, network
        seen["before"] = made.answers(network)[0].numpy()
        return made

    def start(dataset, images, backbone, options, run):
        made = real_start(dataset, images, backbone, options, run)
        vectors = run.extract([dataset.paths[row] for row in images.table.rows[images.held]], backbone)
        seen["probe"] = vectors.vectors @ made.probe.head.weights + made.probe.head.bias
        return made

    def promise(classifier, *rest):
        seen["after"] = seen["task"].answers(seen["network"])[0].numpy()
        return real_promise(classifier, *rest)

    monkeypatch.setattr(job, "FinetuneTask", task)
    monkeypatch.setattr(recipe, "probe_of", start)
    monkeypatch.setattr(recipe, "calibrated_network", promise)
    monkeypatch.setattr(job, "choose", lambda *given, **others: WON)
    monkeypatch.setattr(job, "best_precision", lambda: ("32-true", "exact"))
    fitted = recipe.fit(tagged, *given(learning_rate=1e-3))
    np.testing.assert_allclose(seen["before"], seen["probe"], atol=1e-2)
    held = fitted.out_of_fold
    assert [tagged.tags[row].present for row in held.rows] == [
        tuple(fitted.classes[place] for place in np.flatnonzero(row)) for row in held.labels
    ]
    expected = fit_curves(seen["after"], held.labels).probabilities(seen["after"])
    np.testing.assert_allclose(answers(fitted, tagged, held.rows), expected, atol=1e-3)
    np.testing.assert_allclose(held.probabilities, expected, atol=1e-3)
    assert len(fitted.tag_thresholds) == 3
    assert abs(seen["after"] - seen["before"]).max() > 0.01
    assert {"train_loss", "validation_loss", "validation_map"} <= set(fitted.history[0])


def test_a_pool_of_tags_is_one_network_that_answers_as_both_together(tagged, given, monkeypatch):
    seen, temperatures = {}, (np.array([2.0, 1.0, 0.5]), np.array([0.5, 1.0, 2.0]))

    def choose(scores, *given, **others):
        seen.update(scores)
        return ChosenInterpolation(Interpolation(1.0, 0.25), temperatures, "pooled", 0.5)

    monkeypatch.setattr(job, "choose", choose)
    monkeypatch.setattr(job, "best_precision", lambda: ("32-true", "exact"))
    fitted = recipe.fit(tagged, *given(learning_rate=2e-3))
    pooled = 0.25 * seen[1.0] / temperatures[0] + 0.75 * seen[0.0] / temperatures[1]
    held = fitted.out_of_fold
    expected = fit_curves(pooled, held.labels).probabilities(pooled)
    np.testing.assert_allclose(answers(fitted, tagged, held.rows), expected, atol=1e-3)


def test_a_resumed_run_of_tags_ends_in_the_same_file(tagged, given, winning, tmp_path, monkeypatch):
    settings = {"augment": "strong", "augment_with": "flip=0"}
    whole = recipe.fit(tagged, *given(**settings))
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    steps, real = 2 * (whole.used // 16), task.FinetuneTask.set_rates

    def killed(task, share, end):
        if round(share * steps) == 4:
            raise KilledError
        real(task, share, end)

    monkeypatch.setattr(task.FinetuneTask, "set_rates", killed)
    with pytest.raises(KilledError):
        recipe.fit(tagged, *given(folder=tmp_path / "run", **settings))
    monkeypatch.setattr(task.FinetuneTask, "set_rates", real)
    resumed = recipe.fit(tagged, *given(folder=tmp_path / "run", resume=True, **settings))
    assert "resumed after step 4" in "\n".join(resumed.choices)
    assert resumed.network == whole.network


def test_where_it_does_not_win_the_linear_probe_of_the_tags_is_handed_back(tagged, given, monkeypatch):
    monkeypatch.setattr(job, "choose", lambda *given, **others: LOST)
    fitted = recipe.fit(tagged, *given(epochs=1))
    options = Options(backbone="test_efficientnet", settings={"size": 64})
    assert fitted.network == linear_probe.fit(tagged, options, Run()).network
    assert fitted.tag_thresholds is not None
