"""`ImageClassifier` in scikit-learn's hands."""

import pickle

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fieldguide
from fieldguide.backbones import extraction
from fieldguide.errors import DataError, OptionError
from fieldguide.estimator import ImageClassifier, ImageFeatures
from fieldguide.recipes import linear_probe
from fieldguide.recipes.linear_probe import LinearProbePreset
from frames_made import PandasFrame

COUNTS = {"red": 14, "green": 13, "blue": 13}


@pytest.fixture(autouse=True)
def tiny_presets(tiny_hub, monkeypatch):
    """The presets are of a tiny backbone of random weights: what they choose is another test's matter."""
    sizes = {"fast": 64, "balanced": 96}
    presets = {name: LinearProbePreset("test_efficientnet", size, "tiny") for name, size in sizes.items()}
    monkeypatch.setattr(linear_probe, "PRESETS", presets)


@pytest.fixture(scope="module")
def paths(tmp_path_factory, paint_classes):
    folder = paint_classes(tmp_path_factory.mktemp("photos"), COUNTS)
    found = sorted(folder.rglob("*.png"))
    return [found[place] for place in np.random.default_rng(0).permutation(len(found))]


@pytest.fixture(scope="module")
def labels(paths):
    return [path.parent.name for path in paths]


@pytest.fixture
def classifier(paths, labels):
    return ImageClassifier(preset="fast").fit(paths, labels)


def test_it_learns_and_scores(classifier, paths, labels):
    assert classifier.classes_.tolist() == ["blue", "green", "red"]
    assert classifier.score(paths, labels) > 0.95
    assert classifier.predict(paths).shape == (40,)
    np.testing.assert_allclose(classifier.predict_proba(paths).sum(1), 1, atol=1e-5)
    assert classifier.refused_ == ()
    assert "backbone test_efficientnet, 64 × 64 pixels: preset fast: tiny" in classifier.choices_[0]


def test_columns_follow_the_classes(paths, labels):
    """Numbers sort otherwise than their names do: 9 before 10, but "10" before "9"."""
    numbers = {"blue": 9, "green": 10, "red": -1}
    y = [numbers[label] for label in labels]
    classifier = ImageClassifier(preset="fast").fit(paths, y)
    assert classifier.classes_.tolist() == [-1, 9, 10]
    assert classifier.classes_.dtype.kind == "i"
    assert np.mean(classifier.predict(paths) == y) > 0.95
    probabilities = classifier.predict_proba(paths)
    np.testing.assert_array_equal(classifier.classes_[probabilities.argmax(1)], classifier.predict(paths))
    own = probabilities[np.arange(40), np.searchsorted([-1, 9, 10], y)]
    assert own.mean() > 0.6


@pytest.mark.parametrize(
    ("convert", "dtype"),
    [
        (lambda y: np.array(y, np.uint8), np.uint8),
        (lambda y: [bool(label) for label in y], np.bool_),
        (lambda y: np.array(y, object), np.int64),
        (lambda y: np.array([str(label) for label in y], object), object),
        (lambda y: [str(label) for label in y], "<U1"),
    ],
)
def test_answers_are_of_the_labels_dtype(paths, labels, convert, dtype):
    y = convert([int(label == "red") for label in labels])
    classifier = ImageClassifier(preset="fast").fit(paths, y)
    assert classifier.classes_.dtype == classifier.predict(paths[:2]).dtype == dtype
    assert np.mean(classifier.predict(paths) == y) > 0.9


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        ("", "the one at position 2 of y is empty; mend it"),
        (None, "the one at position 2 of y is missing; mend it"),
        (float("nan"), "the one at position 2 of y is missing; mend it"),
        (0.5, "the one at position 2 of y is the number 0.5; mend it"),
        (float("inf"), "the one at position 2 of y is the number inf; mend it"),
        (b"red", "the one at position 2 of y is of the type bytes; mend it"),
        (["red"], "the one at position 2 of y is of the type list; mend it"),
        (1, r"got text \(first at position 0\) and whole numbers \(first at position 2\); convert them"),
    ],
)
def test_labels_that_numpy_would_bend_are_refused(paths, labels, odd, told):
    """In an array, nothing becomes the text "nan", and the number 1 falls together with the text "1"."""
    y = ["1", *labels[1:]]
    y[2] = odd
    for given in (y, np.array([*y, None], dtype=object)[:-1]):
        with pytest.raises(DataError, match=told):
            ImageClassifier(preset="fast").fit(paths, given)
    with pytest.raises(DataError, match=r"one label an image, got the shape \(40, 1\)"):
        ImageClassifier(preset="fast").fit(paths, np.zeros((40, 1)))


def test_a_clone_is_as_before_fitting(classifier):
    copy = clone(classifier.set_params(seed=3))
    assert copy.get_params() == {
        "recipe": "linear-probe", "backbone": None, "preset": "fast", "seed": 3, "use_cache": True
    }  # fmt: skip
    assert not hasattr(copy, "classes_")
    with pytest.raises(NotFittedError):
        copy.predict([])
    with pytest.raises(NotFittedError):
        copy.save("model.onnx")


def test_cross_validation(paths, labels):
    scores = cross_val_score(ImageClassifier(preset="fast"), paths, labels, cv=3)
    assert scores.shape == (3,)
    assert scores.min() > 0.6
    wrong = np.random.default_rng(1).permutation(labels)
    assert cross_val_score(ImageClassifier(preset="fast"), paths, wrong, cv=3).mean() < 0.6


def test_a_search_over_presets(paths, labels):
    search = GridSearchCV(ImageClassifier(), {"preset": ["fast", "balanced"]}, cv=2).fit(paths, labels)
    assert search.best_params_["preset"] in ("fast", "balanced")
    assert search.best_score_ > 0.6
    assert search.best_estimator_.score(paths, labels) > 0.95
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_groups_are_passed_on(paths, labels):
    groups = [int(path.stem) % 4 for path in paths]
    fitted = ImageClassifier(preset="fast").fit(paths, labels, groups=groups)
    assert "36 near-duplicates or group members kept on one side" in fitted.choices_[1]
    assert (
        cross_val_score(ImageClassifier(preset="fast"), paths, labels, cv=GroupKFold(2), groups=groups).min()
        > 0.5
    )


def test_what_is_saved_answers_the_same(classifier, paths, tmp_path):
    classifier.save(tmp_path / "model.onnx")
    model = fieldguide.load(tmp_path / "model.onnx")
    predictions = model.predict(paths)
    assert [prediction.label for prediction in predictions] == classifier.predict(paths).tolist()
    rows = np.stack([prediction.probabilities for prediction in predictions])
    np.testing.assert_array_equal(rows, classifier.predict_proba(paths).astype(np.float32))


def test_a_pickled_one_answers_the_same(classifier, paths):
    """As scikit-learn sends it to other processes."""
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(again.predict_proba(paths), classifier.predict_proba(paths))


def test_an_image_that_cannot_be_read(classifier, paths, labels, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"")
    with pytest.raises(DataError, match=r"bad\.png: [^()]*; take it out of the list$"):
        classifier.predict([paths[0], bad])
    fitted = ImageClassifier(preset="fast").fit([bad, *paths], ["red", *labels])
    assert [(refusal.path, refusal.code) for refusal in fitted.refused_] == [(str(bad), "empty")]


def test_a_class_of_which_nothing_can_be_read_is_not_learned(paths, labels, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"")
    fitted = ImageClassifier(preset="fast").fit([bad, *paths], ["amber", *labels])
    assert fitted.classes_.tolist() == ["blue", "green", "red"]
    assert fitted.predict(paths[:5]).tolist() == labels[:5]


def test_no_images_give_no_answers(classifier):
    assert classifier.predict([]).shape == (0,)
    assert classifier.predict_proba([]).shape == (0, 3)


def test_what_cannot_be_learned_is_said(paths, labels):
    with pytest.raises(DataError, match="of equal length, got 40 paths, 39 labels; drop"):
        ImageClassifier(preset="fast").fit(paths, labels[:-1])
    with pytest.raises(DataError, match="of equal length, got 40 paths, 40 labels and 2 groups; drop"):
        ImageClassifier(preset="fast").fit(paths, labels, groups=[1, 2])
    with pytest.raises(DataError, match=r"X must be a list of paths, got one path, 'photos'; put it into"):
        ImageClassifier(preset="fast").fit("photos", labels)
    with pytest.raises(DataError, match="two classes"):
        ImageClassifier(preset="fast").fit(paths, ["one"] * 40)
    with pytest.raises(OptionError, match="preset"):
        ImageClassifier(preset="quick").fit(paths, labels)


def test_the_cache_is_used_or_not(paths, labels, tmp_path, monkeypatch):
    decoded = []
    real = extraction.network_pixels
    monkeypatch.setattr(extraction, "network_pixels", lambda *given: decoded.append(1) or real(*given))
    for use_cache, total in ((True, 0), (False, 40)):
        ImageClassifier(preset="fast").fit(paths, labels)
        decoded.clear()
        ImageClassifier(preset="fast", use_cache=use_cache).fit(paths, labels)
        assert len(decoded) == total


FRAMES = {
    "pandas": lambda columns: pytest.importorskip("pandas").DataFrame(columns),
    "polars": lambda columns: pytest.importorskip("polars").DataFrame(columns),
    "stand-in": PandasFrame,
}


@pytest.mark.parametrize("library", FRAMES)
def test_a_frame_is_learned_from_and_predicted(paths, labels, library):
    frame = FRAMES[library]({"path": list(map(str, paths)), "label": labels})
    classifier = ImageClassifier(preset="fast").fit(frame)
    assert classifier.score(frame, labels) > 0.95
    assert classifier.predict(frame).tolist() == classifier.predict(paths).tolist()


def test_images_in_a_frame_are_learned_from(paths, labels):
    numbers = [["blue", "green", "red"].index(label) for label in labels]
    frame = PandasFrame({"image": [path.read_bytes() for path in paths], "label": numbers})
    classifier = ImageClassifier(preset="fast").fit(frame)
    assert classifier.classes_.tolist() == [0, 1, 2]
    assert classifier.score(frame, numbers) > 0.95


def test_cross_validation_over_a_frame(paths, labels):
    frame = pytest.importorskip("pandas").DataFrame({"path": list(map(str, paths))})
    assert min(cross_val_score(ImageClassifier(preset="fast"), frame, labels, cv=2)) > 0.8


def test_splits_and_groups_of_a_frame_count(paths, labels, tmp_path):
    named = ["test", *["train"] * 30, *["val"] * 9]
    gone = [str(tmp_path / "never opened.png"), *map(str, paths[1:])]
    columns = {"path": gone, "label": labels, "split": named, "group": list(range(40))}
    classifier = ImageClassifier(preset="fast").fit(PandasFrame(columns))
    assert classifier.refused_ == ()
    assert classifier.score(paths, labels) > 0.8


def test_a_frame_that_cannot_be_learned_from_is_said(paths, labels):
    with pytest.raises(DataError, match="need a column label, or y"):
        ImageClassifier().fit(PandasFrame({"path": ["a.jpg"]}))
    with pytest.raises(DataError, match="y must hold a label for each path"):
        ImageClassifier().fit(paths)
    with pytest.raises(DataError, match="split must name train, validation or test, got 'old'"):
        ImageClassifier().fit(PandasFrame({"path": ["a.jpg"], "label": ["x"], "split": ["old"]}))


def test_pixels_do_as_well_as_paths(classifier, paths, labels):
    pictures = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    by_pixels = ImageClassifier(preset="fast").fit(pictures, labels)
    assert by_pixels.predict(pictures).tolist() == classifier.predict(paths).tolist()
    content = paths[0].read_bytes()
    one = classifier.predict_proba([content, Image.fromarray(pictures[0]), paths[0]])
    assert np.ptp(one, axis=0).max() < 1e-6
    with pytest.raises(DataError, match="the image at position 1 of X: "):
        classifier.predict([paths[0], np.zeros((4, 4, 7), np.uint8)])


@pytest.mark.parametrize("backbone", [None, "classical"])
def test_features_carry_any_model_of_scikit_learn(paths, labels, backbone):
    features = ImageFeatures(backbone, preset="fast")
    model = make_pipeline(features, StandardScaler(), LogisticRegression())
    assert cross_val_score(model, np.array(paths), labels, cv=2).mean() > 0.7
    table = clone(features).fit(paths).transform(paths)
    assert table.shape == (len(paths), len(features.fit(paths).get_feature_names_out()))
    assert features.transform([]).shape == (0, table.shape[1])
    assert "pixels" in features.choice_
    assert sum(part.stop - part.start for part in features.parts_.values()) == table.shape[1]
    assert next(iter(features.parts_.values())).start == 0


def test_features_of_what_cannot_be_read_are_refused(paths, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"")
    features = ImageFeatures("classical").fit(paths)
    with pytest.raises(DataError, match="take it out of the list"):
        features.transform([broken])
    with pytest.raises(NotFittedError):
        ImageFeatures().transform(paths)
