"""`fieldguide split`: folders or a table, and what it says."""

import pytest

from fieldguide import cli
from fieldguide.data.dataset import open_dataset
from form_samples import draw


@pytest.fixture
def photos(tmp_path):
    for number in range(20):
        draw(tmp_path / "photos" / ("cat" if number % 2 else "dog") / f"{number:02d}.png", number)
    return tmp_path / "photos"


def test_folders_are_written_and_read_as_splits(photos, tmp_path, capsys):
    assert cli.main(["split", str(photos), "--out", str(tmp_path / "parts"), "--test", "20 %"]) == 0
    out, err = capsys.readouterr()
    assert "16 train, 4 test" in out
    assert "next: fieldguide train" in err
    with open_dataset(tmp_path / "parts") as dataset:
        assert dataset.splits.count("test") == 4
        assert len(dataset) == 20
    assert len(list(photos.rglob("*.png"))) == 20


def test_a_table_leaves_photos_where_they_are(photos):
    table = photos / "parts.csv"
    assert cli.main(["split", str(photos), "--out", str(table), "--test", "0.3", "--validation", "0.2"]) == 0
    with open_dataset(table) as dataset:
        counts = {split: dataset.splits.count(split) for split in ("train", "validation", "test")}
    assert counts == {"train": 10, "validation": 4, "test": 6}


def test_a_table_elsewhere_says_why_not(photos, tmp_path, capsys):
    (tmp_path / "other").mkdir()
    assert cli.main(["split", str(photos), "--out", str(tmp_path / "other/parts.csv")]) == 2
    assert "a table must lie above the photos it lists" in capsys.readouterr().err


@pytest.mark.parametrize("share", ["120%", "-1", "much", "nan"])
def test_a_share_that_is_none_is_named(photos, tmp_path, capsys, share):
    assert cli.main(["split", str(photos), "--out", str(tmp_path / "p"), "--test", share]) == 2
    assert "must be a share such as 0.2 or 20%" in capsys.readouterr().err
