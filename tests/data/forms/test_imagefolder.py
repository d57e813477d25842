"""Hugging Face's imagefolder: splits by folder, formats of the metadata."""

import json

from fieldguide.data.dataset import open_dataset
from form_samples import LABELS, draw, write_csv


def test_folders_named_as_splits_are_splits(tmp_path):
    for number, (stem, label) in enumerate(LABELS.items()):
        folder = tmp_path / ("test" if stem.endswith("3") else "train")
        draw(folder / f"{stem}.jpg", number)
        path = folder / "metadata.csv"
        rows = path.read_text(encoding="utf-8") if path.exists() else "file_name,label\n"
        path.write_text(f"{rows}{stem}.jpg,{label}\n", encoding="utf-8")
    with open_dataset(tmp_path) as dataset:
        assert sorted(dataset.splits) == ["test"] * 2 + ["train"] * 4
        assert dataset.notes[0].startswith("Hugging Face imagefolder")


def test_json_lines_and_nested_folders(tmp_path):
    for number, stem in enumerate(LABELS):
        draw(tmp_path / "deep" / f"{stem}.jpg", number)
    lines = [json.dumps({"file_name": f"deep/{stem}.jpg", "label": label}) for stem, label in LABELS.items()]
    (tmp_path / "metadata.jsonl").write_text("\n".join(lines), encoding="utf-8")
    with open_dataset(tmp_path) as dataset:
        assert dataset.classes == ("cat", "dog")


def test_metadata_without_file_names_is_another_form(tmp_path):
    draw(tmp_path / "cat/a.jpg", 1)
    draw(tmp_path / "dog/b.jpg", 2)
    write_csv(tmp_path / "metadata.csv", [["key", "value"], ["licence", "CC0"]])
    with open_dataset(tmp_path) as dataset:
        assert dataset.classes == ("cat", "dog")
