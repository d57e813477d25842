"""Maps that add up: for every recipe whose head is linear on pooled maps, whatever is inside."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fieldguide.explanation import contributions
from fieldguide.explanation.contributions import ContributionMapper
from fieldguide.images.decoding import open_image
from fieldguide.learning import train
from fieldguide.learning.train import TrainOptions
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.prediction.predictor import load
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.finetune import job
from fieldguide.recipes.finetune.interpolation import ChosenInterpolation, Interpolation

COUNTS = {"red": 20, "green": 18, "blue": 16}
QUICK = {"epochs": 1, "augment_with": "flip=0.5"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, paint_classes):
    return paint_classes(tmp_path_factory.mktemp("photos"), COUNTS)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def trained(folder, models, tiny_hub, cache_of_the_tests):
    def make(recipe, backbone=None, preset="balanced", **settings):
        out = models / f"{abs(hash((recipe, backbone, preset, *settings.items())))}.onnx"
        if out.exists():
            return out
        options = Options(backbone, preset, settings=settings)
        train.train(TrainOptions(folder, out, recipe, options, Run(cache=cache_of_the_tests)))
        return out

    return make


def photos(folder):
    return [folder / name / "003.png" for name in COUNTS]


def explained(model, folder, side=None):
    """Heat of each class of each photo, and the classes' numbers."""
    file = load_model_file(model)
    maker = ContributionMapper(file, 1)
    pixels = [file.preprocessing.resize(open_image(photo)) for photo in photos(folder)]
    columns = [column for _ in pixels for column in range(3)]
    return maker, maker(np.stack([image for image in pixels for _ in range(3)]), columns, side), columns


def assert_it_adds_up(model, folder):
    maker, found, columns = explained(model, folder)
    assert maker.why_not is None
    assert found.exact.all()
    np.testing.assert_allclose(found.maps.sum((1, 2), dtype=float) + found.bias, found.scores, atol=1e-3)
    # The scores are those of the file: their softmax is what `predict` answers.
    scores = found.scores.reshape(-1, 3)
    shares = np.exp(scores - scores.max(1, keepdims=True))
    answers = [one.probabilities for one in load(model).predict([str(photo) for photo in photos(folder)])]
    np.testing.assert_allclose(shares / shares.sum(1, keepdims=True), answers, atol=1e-4)
    np.testing.assert_array_equal(found.probabilities[::3], found.probabilities[1::3])
    assert len(columns) == 9


@pytest.mark.parametrize(
    ("backbone", "preset"),
    [
        ("test_efficientnet", "fast"),
        ("test_efficientnet", "balanced"),
        ("test_resnet", "balanced"),
        ("test_efficientnet+test_efficientnet_gn", "best"),
    ],
)
def test_the_maps_of_a_linear_probe_add_up(trained, folder, backbone, preset):
    assert_it_adds_up(trained("linear-probe", backbone, preset, size=64), folder)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"augment_with": "flip=0"},
        {"architecture": "conv 8, pool, residual 12"},
    ],
    ids=["mirrored and moved", "moved", "own layers"],
)
def test_the_maps_of_a_cnn_add_up(trained, folder, options):
    assert_it_adds_up(trained("cnn", **(QUICK | options)), folder)


@pytest.mark.parametrize("flip", [0, 0.5])
def test_the_maps_of_a_cnn_that_looks_at_no_moved_copies_add_up(trained, folder, flip):
    assert_it_adds_up(trained("cnn", None, "fast", epochs=1, augment_with=f"flip={flip}"), folder)


@pytest.mark.parametrize("weight", [1.0, 0.5])
def test_the_maps_of_a_fine_tuned_network_add_up_also_in_a_pool(trained, folder, monkeypatch, weight):
    won = ChosenInterpolation(Interpolation(1.0, weight), (1.0, 1.0), "won", 0.5)
    monkeypatch.setattr(job, "choose", lambda *given, **others: won)
    assert_it_adds_up(trained("finetune", "test_efficientnet", **(QUICK | {"size": 64})), folder)


def test_layers_behind_the_pooling_are_not_taken_for_linear(trained, folder):
    maker, found, _ = explained(trained("cnn", **QUICK, architecture="conv 4, pool, dense 6"), folder)
    assert "stands between maps and scores" in maker.why_not
    assert not found.exact.any()
    assert np.isnan(found.bias).all()
    assert np.abs(found.maps).max() > 0


@pytest.mark.parametrize("recipe", ["svm", "random-forest"])
def test_classical_recipes_are_approximated(trained, folder, recipe):
    maker, found, _ = explained(trained(recipe, None, "fast"), folder, side=16)
    assert maker.why_not
    assert not found.exact.any()
    assert found.maps.shape == (9, 16, 16)


def test_whatever_the_side_nothing_is_lost(trained, folder):
    model = trained("cnn", **QUICK)
    sums = [explained(model, folder, side)[1].maps.sum((1, 2), dtype=float) for side in (None, 7, 16, 100)]
    for other in sums[1:]:
        np.testing.assert_allclose(other, sums[0], atol=1e-4)


def test_a_map_lies_where_its_photo_is_what_counts(folder, tmp_path):
    """A photo that is grey but for one corner, a model that averages colours: the corner says it all."""
    from tiny_model import write_tiny_model

    model = load_model_file(write_tiny_model(tmp_path / "tiny.onnx"))
    maker = ContributionMapper(model, 1)
    assert maker.why_not is None
    image = np.zeros((16, 16, 3), np.uint8)
    image[:4, 12:, 0] = 255
    found = maker(image[None], [0])
    expected = np.zeros((16, 16))
    expected[:4, 12:] = 8 / 256
    np.testing.assert_allclose(found.maps[0], expected, atol=1e-6)


def test_mirrored_views_come_back_to_their_places(trained, folder):
    """The map of the mirror image is the mirrored map, since both views count the same.

    Moved copies go up left and down right alone, so with them it would not be; test_heat_places has those.
    """
    model = load_model_file(trained("cnn", None, "fast", epochs=1, augment_with="flip=0.5"))
    maker = ContributionMapper(model, 1)
    pixels = model.preprocessing.resize(open_image(photos(folder)[0]))
    plain, mirrored = maker(np.stack([pixels, pixels[:, ::-1]]), [0, 0]).maps
    np.testing.assert_allclose(mirrored, plain[:, ::-1], atol=1e-5)
    assert np.abs(plain - plain[:, ::-1]).max() > 1e-4  # it could have failed


def test_equal_peaks_share(folder):
    cells = contributions._in_cells(np.array([[[[1.0, 3.0], [3.0, 0.0]]]]), np.array([[2.0]]), "max")
    np.testing.assert_array_equal(cells, [[[0, 3], [3, 0]]])


def test_a_proposal_that_does_not_hold_is_not_believed(trained, folder, monkeypatch):
    """Were a part of the features taken for another pooling, the trial on noise would tell."""
    model = trained("linear-probe", "test_efficientnet", size=64)
    real = contributions.read_out

    def wrong(given):
        found = real(given)
        parts = tuple(contributions.Pooled(part.map, "mean", part.axes) for part in found.parts)
        return replace(found, parts=parts, stacked=None)

    monkeypatch.setattr(contributions, "read_out", wrong)
    maker = ContributionMapper(load_model_file(model), 1)
    assert maker.why_not == "the features are not the maps' pooled values"


def test_the_models_own_answers_stay_as_they_are(trained, folder):
    model = load(trained("linear-probe", "test_efficientnet", size=64))
    before = model.predict([str(photo) for photo in photos(folder)])
    names = [output.name for output in model._session.get_outputs()]
    model.explain(str(photos(folder)[0]))
    assert model.predict([str(photo) for photo in photos(folder)]) == before
    assert [output.name for output in model._session.get_outputs()] == names


def test_pretrained_classes_add_up(tiny_hub, tmp_path):
    from fieldguide.learning.pretrained import pretrained

    out = tmp_path / "model.onnx"
    pretrained("test_resnet", out)
    model = load(out)
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 60, 3), dtype=np.uint8))
    told = model.explain(image)
    assert told.exact
    assert told.map.sum(dtype=float) + told.bias == pytest.approx(told.score, abs=1e-3)
    assert told.area == (0, 15, 60, 75)
