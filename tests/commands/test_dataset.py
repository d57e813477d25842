"""`fieldguide dataset`: the list, and what is said before an original is fetched."""

import json

import pytest

from fieldguide.data.catalogue import preparation
from fieldguide.data.catalogue.entries import CATALOGUE


@pytest.fixture
def written(monkeypatch):
    """Nothing is fetched; what was asked for is kept."""
    from types import SimpleNamespace

    seen = []

    def write(name, out, **how):
        seen.append((name, out, how["root"], how["download"]))
        return SimpleNamespace(images=70, written=7)

    monkeypatch.setattr(preparation, "write", write)
    return seen


def test_the_list_as_json_has_every_entry_and_its_addresses(run):
    code, out, _ = run("dataset", "--json")
    rows = json.loads(out)
    assert code == 0 and [row["name"] for row in rows] == [entry.name for entry in CATALOGUE]
    assert all(row["originals"] and "unpacked" not in row for row in rows)


def test_size_and_terms_are_said_before_it_is_written(run, written, tmp_path):
    code, out, err = run("dataset", "mnist", "--out", tmp_path / "m")
    assert code == 0
    assert out == f"{tmp_path / 'm'}: 70 images of mnist, 7 of them written now\n"
    assert [line.partition(":")[0] for line in err.splitlines()][:3] == ["mnist", "terms", "to cite"]
    assert written == [("mnist", tmp_path / "m", None, True)]


def test_with_original_files_nothing_is_downloaded(run, written, tmp_path):
    _, out, err = run("dataset", "mnist", "--from", tmp_path, "--json")
    assert json.loads(out)["written"] == 7 and "no download" in err
    (asked,) = written
    assert str(asked[1]) == "mnist" and asked[2:] == (tmp_path, False)


def test_a_name_is_needed_to_write_one(run, tmp_path):
    code, _, err = run("dataset", "--out", tmp_path / "m")
    assert code == 2 and "--out and --from need NAME" in err
