"""What every form promises, held over all of them: recognised, read in full, told apart, no traceback."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.forms import BY_SHAPE, FALLBACKS, FORMS, reader, titles
from fieldguide.data.forms.source import DataSource
from fieldguide.data.options import DataOptions
from fieldguide.errors import DataError, OptionError
from form_samples import LABELS, MORE_SAMPLES, SAMPLES
from form_samples_published import PUBLISHED_SAMPLES

SAMPLES = SAMPLES | PUBLISHED_SAMPLES
NAMED_BY_PLACE = {"file-names", "caltech", "imagenet", "keywords"}
"""Forms that list no files, so that none can be missing."""

SHARED = Path(__file__).parents[4] / "shared" / "cases" / "forms"


WAYS = [(form, sample) for form in FORMS for sample in (SAMPLES[form], *MORE_SAMPLES.get(form, ()))]


@pytest.fixture(params=WAYS, ids=lambda way: f"{way[0]}-{way[1].__name__}")
def way(request):
    return request.param


@pytest.fixture
def form(way):
    return way[0]


@pytest.fixture
def data(way, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return way[1](folder)


def test_it_is_recognised_and_read_in_full(data, form):
    with open_dataset(data) as dataset:
        digits = {"1": "cat", "0": "dog"} if form == "svhn" else {}
        assert Counter(digits.get(label, label) for label in dataset.labels) == Counter(LABELS.values())
        assert all(Path(path).is_file() for path in dataset.paths)
        assert not dataset.refused
        assert len(set(dataset.paths)) == len(LABELS)


def test_an_archive_of_it_is_read_as_well(data, form, tmp_path):
    folder = data if data.is_dir() else data.parent
    archive = shutil.make_archive(str(tmp_path / "photos"), "zip", folder)
    with open_dataset(archive) as dataset:
        labels = Counter(dataset.labels)
        assert labels == ({"0": 3, "1": 3} if form == "svhn" else Counter(LABELS.values()))
        assert not dataset.refused


def test_photos_to_be_added_or_foreign_ones_may_be_of_it(data, form):
    digits = {"1": "cat", "0": "dog"} if form == "svhn" else {}
    with open_dataset(data, minimum_classes=0) as dataset:
        labels = Counter(digits.get(label, label) for label in dataset.labels)
        # names of files are no labels where none are needed
        wanted = {"": 6} if form in ("file-names", "keywords") else Counter(LABELS.values())
        assert (labels, dataset.refused) == (wanted, ())


def test_it_says_what_it_understood(data, form):
    with open_dataset(data) as dataset:
        assert "6 " in dataset.notes[0]


def test_a_person_may_name_it(data, form):
    with open_dataset(data, options=DataOptions(form=form)) as dataset:
        assert dataset.classes == (("0", "1") if form == "svhn" else ("cat", "dog"))


def test_no_other_particular_form_takes_it_for_its_own(data, form):
    general = {*FALLBACKS, *BY_SHAPE}
    source = DataSource(data)
    taken = {name for name in FORMS if name not in general and reader(name).recognise(source)}
    assert taken <= {form}


def test_a_form_that_it_is_not_is_refused_with_what_was_looked_for(data, form):
    other = "cvat" if form != "cvat" else "label-studio"
    with (
        pytest.raises(DataError, match=f"--form {other} says; found none"),
        open_dataset(data, options=DataOptions(form=other)),
    ):
        pass


@pytest.mark.parametrize("keep", [0.9, 0.5, 0.1, 0.0])
def test_half_a_file_is_a_sentence(data, form, keep):
    files = [data] if data.is_file() else [path for path in data.rglob("*") if path.suffix != ".jpg"]
    for file in filter(Path.is_file, files):
        content = file.read_bytes()
        file.write_bytes(content[: int(len(content) * keep)])
    try:
        with open_dataset(data, options=DataOptions(form=form)) as dataset:
            assert len(dataset) <= len(LABELS)
    except DataError as error:
        assert len(str(error)) < 2_000
        assert "Traceback" not in str(error)


def test_half_the_images_missing_are_named(data, form):
    images = sorted(data.rglob("*.jpg")) if data.is_dir() else []
    gone = [images[0], images[-1]] if images else []
    for path in gone:
        path.unlink()
    with open_dataset(data) as dataset:
        assert len(dataset) == len(LABELS) - len(gone)
        if images and form not in NAMED_BY_PLACE:
            assert [refusal.code for refusal in dataset.refused] == ["missing"] * 2


def test_titles_tell_all_of_them():
    assert set(titles()) == {"folders", *FORMS}
    assert all(len(title) < 110 for title in titles().values())


def test_an_unknown_form_is_named():
    with pytest.raises(OptionError, match=r"--form must be one of folders, label-studio.*got 'x'"):
        reader("x")


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the cases beside the checkout are missing")
def test_the_cases_beside_the_checkout_are_read_as_they_should_be():
    import json

    for name, expected in json.loads((SHARED / "forms.json").read_text()).items():
        for given in expected["data"]:
            with open_dataset(SHARED / given) as dataset:
                counts = Counter(dataset.splits or ["train"] * len(dataset))
                got = [list(dataset.classes), counts["train"], counts["test"]]
            assert got == [expected["classes"], expected["images"], expected["test"]], (name, given)
