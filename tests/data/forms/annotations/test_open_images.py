"""Open Images: denied and machine's labels, a table a split, names with and without a header."""

from fieldguide.data.dataset import open_dataset
from form_samples import draw_all, open_images, write_csv

HEADER = ["ImageID", "Source", "LabelName", "Confidence"]


def read(folder):
    with open_dataset(folder) as dataset:
        return dataset


def test_what_people_denied_and_machines_said_is_counted(tmp_path):
    notes = read(open_images(tmp_path)).notes
    assert "6 labels that people denied (confidence 0) not used" in notes
    assert "6 labels of a machine, verified by nobody, not used" in notes


def test_a_table_a_split(tmp_path):
    for split in ("train", "validation"):
        draw_all(tmp_path / split)
        rows = [["a1", "verification", "/m/1", 1], ["b1", "verification", "/m/2", 1]]
        write_csv(tmp_path / f"oidv6-{split}-annotations-human-imagelabels.csv", [HEADER, *rows])
    names = [["LabelName", "DisplayName"], ["/m/1", "Cat"], ["/m/2", "Dog"]]
    write_csv(tmp_path / "oidv6-class-descriptions.csv", names)
    dataset = read(tmp_path)
    assert dataset.labels == ("Cat", "Dog", "Cat", "Dog")
    assert dataset.splits == ("train", "train", "validation", "validation")
    assert [path.rpartition("/")[0].rpartition("/")[2] for path in dataset.paths] == ["train"] * 2 + [
        "validation"
    ] * 2


def test_without_names_classes_keep_their_identifiers(tmp_path):
    open_images(tmp_path)
    (tmp_path / "class-descriptions.csv").unlink()
    dataset = read(tmp_path)
    assert dataset.classes == ("/m/01yrx", "/m/0bt9lr")
    assert any("no class-descriptions.csv found" in note for note in dataset.notes)


def test_several_classes_are_tags_and_a_bad_row_is_named(tmp_path):
    draw_all(tmp_path)
    rows = [
        ["a1", "verification", "/m/1", 1],
        ["a1", "verification", "/m/2", 1],
        ["a2", "verification", "/m/1", 1],
    ]
    rows += [
        ["b1", "verification", "/m/2", "sure"],
        ["b2", "verification", "/m/2", "1.0"],
        ["b3", "x", "", 1],
    ]
    write_csv(tmp_path / "test-annotations-human-imagelabels.csv", [HEADER, *rows])
    dataset = read(tmp_path)
    assert dataset.labels == ("/m/1", "/m/2")
    assert [refusal.path.rpartition(", ")[2] for refusal in dataset.refused] == ["row 4", "row 6"]


def test_tables_of_boxes_serve_where_there_are_no_others(tmp_path):
    draw_all(tmp_path)
    header = [*HEADER, "XMin", "XMax", "YMin", "YMax"]
    rows = [
        [stem, "xclick", mid, 1, 0, 1, 0, 1] for stem, mid in (("a1", "/m/1"), ("a1", "/m/1"), ("b1", "/m/2"))
    ]
    write_csv(tmp_path / "train-annotations-bbox.csv", [header, *rows])
    assert read(tmp_path).labels == ("/m/1", "/m/2")
