"""The corrections table: written, edited, read, applied, undone; what does not fit is named."""

from pathlib import Path

import pytest

from fieldguide.data.corrections import (
    Correction,
    Judged,
    add_corrections,
    corrected,
    corrections_summary,
    judged,
    read_corrections,
    write_corrections,
)
from fieldguide.data.dataset import Dataset
from fieldguide.errors import DataError
from fieldguide.tasks.tags import Tags

HOSTILE = ("=cmd|'/c calc'!A1", 'a,b\n"c".jpg', "bad\udcff.jpg", "-x", "'quoted", "\u202egpj.exe", "a;=b")


@pytest.fixture
def dataset():
    paths = tuple(f"/data/{name}" for name in ("a.jpg", "b.jpg", "c.jpg", "d.jpg", "b.jpg"))
    return Dataset(Path("/data"), paths, ("cat", "cat", "dog", "dog", "dog"), splits=("train",) * 5)


def line(path, label, action, to=""):
    return Correction(path, label, to, action, "because", "FG017")


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_survives_the_table(name, tmp_path):
    table = [Correction(name, name, name, "relabel", name, "FG017"), line("b.jpg", "cat", "drop")]
    write_corrections(table, tmp_path / "t.csv")
    assert read_corrections(tmp_path / "t.csv") == tuple(table)
    written = (tmp_path / "t.csv").read_bytes().decode("utf-8").splitlines()
    assert len(written) == 3
    assert written[0] == '"path","label","corrected","action","reason","code"'
    assert not any(cell[1:2] in ("=", "-", "+", "@") for cell in written[1].split(","))


def test_a_table_from_a_spreadsheet_is_read(tmp_path):
    text = "\ufeffPath;Label;Corrected;Action;Reason;Code\r\na.jpg;cat;dog; Relabel ;;\r\n\r\nb.jpg;cat\r\n"
    (tmp_path / "t.csv").write_bytes(text.encode())
    first, second = read_corrections(tmp_path / "t.csv")
    assert first == Correction("a.jpg", "cat", "dog", "relabel", "", "")
    assert (second.path, second.action) == ("b.jpg", "")


def test_what_is_no_table_is_said(tmp_path):
    with pytest.raises(DataError, match=r"no.csv: the corrections cannot be read"):
        read_corrections(tmp_path / "no.csv")
    (tmp_path / "t.csv").write_text("image,what\n")
    with pytest.raises(DataError, match=r"must name the columns path, label and action, got 'image', 'what'"):
        read_corrections(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("")
    with pytest.raises(DataError, match="got nothing"):
        read_corrections(tmp_path / "t.csv")


def test_labels_change_and_images_go(dataset):
    done = corrected(dataset, [line("a.jpg", "cat", "relabel", "dog"), line("c.jpg", "dog", "drop")])
    assert done.paths == ("/data/a.jpg", "/data/b.jpg", "/data/d.jpg", "/data/b.jpg")
    assert done.labels == ("dog", "cat", "dog", "dog")
    assert done.splits == ("train",) * 4
    assert corrections_summary(done) == (
        "corrections: 1 label changed, 1 image left out, 0 kept as they are",
    )
    assert dataset.labels == ("cat", "cat", "dog", "dog", "dog")
    assert corrections_summary(dataset) == ()


def test_keep_and_a_line_taken_out_undo(dataset):
    lines = [line("a.jpg", "cat", "relabel", "dog"), line("c.jpg", "dog", "drop")]
    kept = corrected(dataset, [line("a.jpg", "cat", "keep", "dog"), lines[1]])
    assert kept.labels == ("cat", "cat", "dog", "dog")
    assert corrected(dataset, []).labels == dataset.labels


def test_an_image_under_two_labels_is_corrected_by_its_label(dataset):
    done = corrected(dataset, [line("b.jpg", "dog", "drop")])
    assert list(zip(done.paths, done.labels, strict=True)).count(("/data/b.jpg", "cat")) == 1
    assert ("/data/b.jpg", "dog") not in zip(done.paths, done.labels, strict=True)


@pytest.mark.parametrize(
    ("wrong", "code", "message"),
    [
        (line("z.jpg", "cat", "drop"), "unknown_path", "not an image of DATA"),
        (
            line("a.jpg", "dog", "drop"),
            "other_label",
            "its label in DATA is 'cat', the corrections say 'dog'",
        ),
        (line("a.jpg", "cat", "relabel", "cow"), "unknown_label", "'cow', which is not a class of DATA"),
        (line("a.jpg", "cat", "relabel"), "unknown_label", "''"),
        (line("a.jpg", "cat", "delete"), "unknown_action", "one of keep, relabel, drop; got 'delete'"),
    ],
)
def test_a_line_that_does_not_fit_is_named_and_the_rest_is_done(wrong, code, message, dataset):
    done = corrected(dataset, [wrong, line("c.jpg", "dog", "drop")])
    assert [(refusal.path, refusal.code) for refusal in done.refused] == [(wrong.path, code)]
    assert message in done.refused[0].message
    assert len(done) == 4
    assert done.labels[:2] == ("cat", "cat")


def test_two_lines_that_contradict_are_named_and_dropping_goes_first(dataset):
    lines = [line("a.jpg", "cat", "relabel", "dog"), line("a.jpg", "cat", "relabel", "cat")]
    done = corrected(dataset, lines)
    assert [refusal.code for refusal in done.refused] == ["contradiction"]
    assert done.labels[0] == "dog"
    assert "/data/a.jpg" not in corrected(dataset, [lines[0], line("a.jpg", "cat", "drop")]).paths


@pytest.fixture
def tagged():
    tags = (Tags(("cat", "sea")), Tags(("dog",), ("sea",)), Tags(), None)
    paths = tuple(f"/data/{name}.jpg" for name in "abcd")
    return Dataset(Path("/data"), paths, ("",) * 4, tags=tags, splits=("train",) * 4)


def test_tags_are_added_and_removed_and_photos_go(tagged):
    lines = [
        line("a.jpg", "sea", "remove"),
        line("a.jpg", "", "add", "dog"),
        line("b.jpg", "", "add", "sea"),
        line("c.jpg", "", "drop"),
        line("d.jpg", "", "keep", "cat"),
    ]
    done = corrected(tagged, lines)
    assert done.refused == ()
    assert done.tags == (Tags(("cat", "dog")), Tags(("dog", "sea")), None)
    assert corrections_summary(done) == ("corrections: 3 tags changed, 1 image left out, 1 kept as they are",)
    assert judged(tagged, done) == Judged(frozenset({"/data/a.jpg", "/data/b.jpg"}), 1)
    assert corrected(tagged, [line("b.jpg", "sea", "remove")]).tags[1] == Tags(("dog",))


@pytest.mark.parametrize(
    ("wrong", "code", "message"),
    [
        (line("z.jpg", "cat", "remove"), "unknown_path", "not an image of DATA"),
        (line("a.jpg", "dog", "remove"), "other_label", "does not have the tag 'dog'"),
        (line("a.jpg", "", "add", "cat"), "other_label", "has the tag 'cat' already"),
        (line("a.jpg", "", "add", "cow"), "unknown_label", "'cow', which is not a tag of DATA"),
        (line("a.jpg", "cat", "relabel", "dog"), "unknown_action", "one of keep, add, remove, drop; got"),
    ],
)
def test_a_line_on_tags_that_does_not_fit_is_named_and_the_rest_is_done(wrong, code, message, tagged):
    done = corrected(tagged, [wrong, line("c.jpg", "", "drop")])
    assert [(refusal.path, refusal.code) for refusal in done.refused] == [(wrong.path, code)]
    assert message in done.refused[0].message
    assert done.tags == (*tagged.tags[:2], None)


def test_several_tags_of_a_photo_have_a_line_each(tmp_path):
    lines = [line("a.jpg", "", "add", "dog"), line("a.jpg", "", "add", "sea"), line("a.jpg", "cat", "remove")]
    write_corrections(lines[:1], tmp_path / "t.csv")
    assert add_corrections(lines, tmp_path / "t.csv") == (1, 2)
    assert read_corrections(tmp_path / "t.csv") == tuple(lines)
