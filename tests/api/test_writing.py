"""`split` and `convert`: what the commands write."""

import fieldguide
from fieldguide.cli import main


def files_in(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_splits_are_those_of_the_command(photos, tmp_path, capsys):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    main(["split", str(photos), "--out", str(theirs), "--test", "0.25", "--seed", "2"])
    dealt = fieldguide.split(photos, out=ours, test=0.25, seed=2)
    assert files_in(ours) == files_in(theirs)
    assert [refusal.code for refusal in dealt.refused] == ["truncated"]


def test_without_out_the_splits_are_in_the_data_set(photos, colours):
    parts = fieldguide.split(photos, test=0.25, validation=0.25).dataset
    assert set(parts.splits) == {"train", "validation", "test"}
    assert fieldguide.evaluate(colours, parts).n == parts.splits.count("test")


def test_a_table_lies_beside_the_photos(photos, tmp_path):
    table = photos.parent / "splits.csv"
    dealt = fieldguide.split(photos, out=table)
    again = fieldguide.open_dataset(table)
    table.unlink()
    assert sorted(again.splits) == sorted(dealt.dataset.splits)


def test_another_form_is_the_commands(photos, tmp_path, capsys):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    main(["convert", str(photos), "--to", "imagefolder", "--out", str(theirs)])
    done = fieldguide.convert(photos, to="imagefolder", out=ours)
    assert files_in(ours) == files_in(theirs) and done.as_dict()["photos"] == 37
