"""A run of fine-tuning: its plan, its minutes, its memory, and the network of the point that was chosen."""

import numpy as np
import onnxruntime
import pytest

from fieldguide.errors import TrainingError
from fieldguide.images.decoding import open_image
from fieldguide.recipes.common import Options
from fieldguide.recipes.finetune import decision, job, recipe, task
from fieldguide.recipes.finetune.course import Course, Prices
from fieldguide.recipes.finetune.decision import Decision
from fieldguide.recipes.finetune.interpolation import ChosenInterpolation, Interpolation
from fieldguide.recipes.finetune.trial import EVEN
from fieldguide.training import loop


@pytest.mark.parametrize(("few", "kept"), [(0, ("best", 1)), (100, ("last", None))])
def test_few_images_held_out_do_not_choose_among_epochs(dataset, given, winning, monkeypatch, few, kept):
    monkeypatch.setattr(job, "FEW_HELD_OUT", few)
    plans, real = [], job.train_with_checkpoints

    def run(task, plan, *rest):
        plans.append(plan)
        return real(task, plan, *rest)

    monkeypatch.setattr(job, "train_with_checkpoints", run)
    recipe.fit(dataset, *given())
    assert [(plan.keep, plan.patience) for plan in plans] == [kept]


@pytest.fixture
def scarce(monkeypatch):
    """Memory suffices for so many images a step."""
    real = task.FinetuneTask.loss

    def limit(most):
        def loss(task, network, rows, epoch, generator):
            if len(rows) > most:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate a lot")
            return real(task, network, rows, epoch, generator)

        monkeypatch.setattr(task.FinetuneTask, "loss", loss)

    return limit


def test_out_of_memory_half_the_batch_is_tried(dataset, given, winning, scarce):
    scarce(8)
    fitted = recipe.fit(dataset, *given(epochs=1))
    assert "not enough memory for 16 images a step; trained with 8" in fitted.choices
    scarce(16)
    assert fitted.network == recipe.fit(dataset, *given(epochs=1, batch_size=8)).network


def test_out_of_memory_twice_is_an_error_that_says_what_to_do(dataset, given, scarce):
    scarce(4)
    with pytest.raises(TrainingError, match=r"not enough memory for 8 images.*--batch-size such as 4"):
        recipe.fit(dataset, *given(epochs=1))


def test_other_errors_are_not_taken_for_it(dataset, given, monkeypatch):
    def loss(*given):
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(task.FinetuneTask, "loss", loss)
    with pytest.raises(RuntimeError, match="shapes differ"):
        recipe.fit(dataset, *given(epochs=1))


@pytest.mark.parametrize("layers", [0.3, 1.0])
def test_a_pool_is_one_network_that_answers_as_both_together(dataset, given, monkeypatch, layers):
    seen, temperatures = {}, (np.array(2.0), np.array(0.5))

    def choose(scores, *given, **others):
        seen.update(scores)
        return ChosenInterpolation(Interpolation(1.0, 0.25), temperatures, "pooled", 0.5)

    monkeypatch.setattr(job, "choose", choose)
    monkeypatch.setattr(job, "best_precision", lambda: ("32-true", "exact"))
    fitted = recipe.fit(dataset, *given(layers=layers, learning_rate=2e-3))
    session = onnxruntime.InferenceSession(fitted.network.SerializeToString())
    pixels = [fitted.preprocessing.resize(open_image(dataset.paths[row])) for row in fitted.out_of_fold.rows]
    logs = np.log(session.run(["probabilities"], {"pixels": np.stack(pixels)})[0])
    pooled = 0.25 * seen[1.0] / temperatures[0] + 0.75 * seen[0.0] / temperatures[1]
    logs, pooled = (values - values.mean(1, keepdims=True) for values in (logs, pooled))
    temperature = (pooled * logs).sum() / (logs * logs).sum()
    np.testing.assert_allclose(logs * temperature, pooled, atol=0.02 * np.abs(pooled).max())
    assert abs(seen[1.0] - seen[0.0]).max() > 0.01


def test_a_point_on_the_way_has_the_weights_between(dataset, given, monkeypatch):
    scores = {}
    monkeypatch.setattr(
        job,
        "choose",
        lambda seen, *given, **others: (
            scores.update(seen) or ChosenInterpolation(Interpolation(0.4), (1.0, 1.0), "x", 0.5)
        ),
    )
    fitted = recipe.fit(dataset, *given(learning_rate=2e-3))
    assert sorted(scores) == [0.0, 0.4, 0.7, 1.0]
    between = fitted.out_of_fold.probabilities.argmax(1)
    assert (between == scores[0.4].argmax(1)).mean() > 0.9


def test_minutes_decide_once_and_are_told(dataset, given, winning, monkeypatch, tmp_path):
    prices, asked = Prices(1e-6, lambda side: 1e-6, 1e-6), []

    def measured(*networks):
        asked.append(networks)
        return prices

    monkeypatch.setattr(decision, "measured", measured)
    options, run = given(folder=tmp_path / "run")
    settings = {name: value for name, value in options.settings.items() if name != "epochs"}
    short = {"few": Course(1.0, 0, 2)}
    monkeypatch.setattr(decision, "course_for", lambda *given: short["few"])
    fitted = recipe.fit(dataset, Options(options.backbone, settings=settings | {"minutes": 5}), run)
    told = "\n".join(fitted.choices)
    assert "evidence by depth: of " in told and "evidence by batch normalisation: over " in told
    assert "at most 2 passes of" in told
    assert "5 minutes, asked for" in told
    assert "the same again: --epochs 2 --set layers=1" in told
    assert len(asked) == 1
    assert len(fitted.history) == 2
    by_hand = recipe.fit(
        dataset, Options(options.backbone, settings=settings | {"epochs": 2, "layers": 1.0}), run
    )
    assert by_hand.network == fitted.network
    assert len(asked) == 1


def test_what_the_evidence_decided_is_kept_told_and_given_by_hand(
    dataset, given, winning, monkeypatch, tmp_path
):
    """Rates and statistics that are not usual; a killed run goes on with them, and asks nobody again."""
    asked = []
    found = Decision(
        Course(1.0, 0, 2),
        600.0,
        EVEN,
        0.5,
        ("evidence: told",),
        ("layer_decay=1", "head_rate=1", "batch_norm=0.5"),
    )
    monkeypatch.setattr(job, "decided_by_clock", lambda *given: asked.append(given) or found)
    options, run = given(folder=tmp_path / "run")
    settings = {name: value for name, value in options.settings.items() if name != "epochs"}
    timed = Options(options.backbone, settings=settings | {"minutes": 5})
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    real, steps = task.FinetuneTask.set_rates, []

    def killed(task, share, end):
        steps.append(share)
        if len(steps) == 3:
            raise KilledError
        real(task, share, end)

    monkeypatch.setattr(task.FinetuneTask, "set_rates", killed)
    with pytest.raises(KilledError):
        recipe.fit(dataset, timed, run)
    monkeypatch.setattr(task.FinetuneTask, "set_rates", real)
    resumed = recipe.fit(dataset, timed, run)
    assert len(asked) == 1
    told = "\n".join(resumed.choices)
    assert "evidence: told" in told and "resumed after step 2" in told
    again = "--epochs 2 --set layers=1 --set layer_decay=1 --set head_rate=1 --set batch_norm=0.5"
    assert again in told
    by_hand = {"epochs": 2, "layers": 1.0, "layer_decay": 1.0, "head_rate": 1.0, "batch_norm": 0.5}
    assert recipe.fit(dataset, Options(options.backbone, settings=settings | by_hand), run).network == (
        resumed.network
    )
    usual = {"epochs": 2, "layers": 1.0}
    assert recipe.fit(dataset, Options(options.backbone, settings=settings | usual), run).network != (
        resumed.network
    )


class KilledError(Exception):
    """Stands for kill -9: nothing is saved on its way out."""
