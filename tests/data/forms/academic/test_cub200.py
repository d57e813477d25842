"""CUB-200: what its four files say of an image, also where one of them says nothing."""

from fieldguide.data.dataset import open_dataset
from form_samples_published import cub200, write_lines


def test_the_split_and_names_with_numbers_are_kept(tmp_path):
    cub200(tmp_path)
    write_lines(tmp_path / "classes.txt", ["1 001.Black_footed_Albatross", "2 002.Laysan_Albatross"])
    with open_dataset(tmp_path) as dataset:
        assert dataset.classes == ("001.Black_footed_Albatross", "002.Laysan_Albatross")
        assert len(dataset.select("test")) == 2
        assert dataset.notes[0] == "CUB-200's lists: 6 images, 2 classes, with its split"


def test_without_a_split_it_is_one_part(tmp_path):
    cub200(tmp_path)
    (tmp_path / "train_test_split.txt").unlink()
    with open_dataset(tmp_path) as dataset:
        assert dataset.splits is None
        assert len(dataset) == 6


def test_what_is_half_said_is_counted(tmp_path):
    cub200(tmp_path)
    write_lines(tmp_path / "image_class_labels.txt", ["1 1", "2 1", "3 1", "4 2", "5", "9 2"])
    write_lines(tmp_path / "train_test_split.txt", ["1 1", "2 0", "3 7", "4 1"])
    with open_dataset(tmp_path) as dataset:
        assert len(dataset) == 3
        assert [refusal.path for refusal in dataset.refused] == [
            f"{tmp_path / 'image_class_labels.txt'}, line 5"
        ]
        said = " ".join(dataset.notes)
        assert "2 entries left out: no class in image_class_labels.txt" in said
        assert "1 entry left out: neither 1 nor 0 in train_test_split.txt" in said
        assert "1 entry left out: a class in image_class_labels.txt, but no path in images.txt" in said
