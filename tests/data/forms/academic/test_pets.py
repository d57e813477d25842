"""Oxford pets: breeds with spaces as underscores, names without a breed, the list of all."""

from fieldguide.data.dataset import open_dataset
from form_samples import draw
from form_samples_published import pets, write_lines


def test_the_breed_is_what_stands_before_the_number(tmp_path):
    for number, stem in enumerate(("great_pyrenees_12", "Abyssinian_100", "x")):
        draw(tmp_path / "images" / f"{stem}.jpg", number)
    write_lines(
        tmp_path / "annotations" / "trainval.txt",
        ["great_pyrenees_12 16 2 9", "Abyssinian_100 1 1 1", "x 5 1 2"],
    )
    with open_dataset(tmp_path) as dataset:
        assert dataset.labels == ("great_pyrenees", "Abyssinian", "5")


def test_the_list_of_all_serves_where_there_is_no_split(tmp_path):
    pets(tmp_path)
    for name in ("trainval.txt", "test.txt"):
        (tmp_path / "annotations" / name).unlink()
    with open_dataset(tmp_path) as dataset:
        assert len(dataset) == 6
        assert dataset.splits is None


def test_a_damaged_line_is_named(tmp_path):
    pets(tmp_path)
    file = tmp_path / "annotations" / "test.txt"
    write_lines(file, [*file.read_text().splitlines(), "cat_9 1 3"])
    with open_dataset(tmp_path) as dataset:
        assert dataset.refused[0].path == f"{file}, line 3"


def test_another_test_list_is_none_of_this_form(tmp_path):
    for number, name in enumerate(("cat/a.jpg", "dog/b.jpg")):
        draw(tmp_path / name, number)
    write_lines(tmp_path / "test.txt", ["cat/a.jpg 0", "dog/b.jpg 1"])
    with open_dataset(tmp_path) as dataset:
        assert dataset.labels == ("cat", "dog")
