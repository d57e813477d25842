"""Food-101: JSON or text, and entries that are none."""

from fieldguide.data.dataset import open_dataset
from form_samples import write_json
from form_samples_published import food101


def test_the_text_lists_serve_where_there_is_no_json(tmp_path):
    food101(tmp_path)
    for split in ("train", "test"):
        (tmp_path / "meta" / f"{split}.json").unlink()
    with open_dataset(tmp_path) as dataset:
        assert (len(dataset), len(dataset.select("test"))) == (6, 2)


def test_entries_that_are_none_are_counted(tmp_path):
    food101(tmp_path)
    write_json(
        tmp_path / "meta" / "train.json", {"cat": ["cat/a1", "a2", 3], "dog": "dog/b1", "x": ["x/../y"]}
    )
    with open_dataset(tmp_path) as dataset:
        assert len(dataset.select("train")) == 2
        codes = sorted(refusal.code for refusal in dataset.refused)
        assert codes == ["damaged_row", "damaged_row", "outside"]
        assert any(refusal.path.endswith("train.json, entry 2") for refusal in dataset.refused)
