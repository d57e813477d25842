"""Labels in file names: the usual ways, and names of cameras and messengers, which are none."""

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.options import DataOptions
from fieldguide.errors import DataError, OptionError


def put(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        ("cat.0.jpg cat.1.jpg dog.0.jpg dog.12499.jpg", ("cat", "dog")),
        ("Abyssinian_1.jpg Abyssinian_201.jpg great_pyrenees_12.jpg great_pyrenees_9.jpg", None),
        ("cat (1).jpg|cat (2).jpg|dog (1).jpg|dog (2).jpg", ("cat", "dog")),
        ("Münze1.jpg Münze2.jpg St.Bernard_1.jpg St.Bernard_2.jpg", ("Münze", "St.Bernard")),
    ],
)
def test_the_usual_ways(tmp_path, names, classes):
    put(tmp_path, *names.split("|" if "|" in names else " "))
    with open_dataset(tmp_path) as dataset:
        assert dataset.classes == (classes or ("Abyssinian", "great_pyrenees"))
        assert len(dataset) == 4


@pytest.mark.parametrize(
    "names",
    [
        ["IMG_0001.jpg", "IMG_0002.jpg", "DSC_1.jpg", "DSC_2.jpg"],
        ["IMG_20200101_1.jpg", "IMG_20200101_2.jpg", "IMG_20200102_1.jpg", "IMG_20200102_2.jpg"],
        [
            "IMG-20200101-WA0001.jpg",
            "IMG-20200101-WA0002.jpg",
            "IMG-20200102-WA0001.jpg",
            "IMG-20200102-WA0002.jpg",
        ],
        [f"WhatsApp Image 2023-01-02 at 10.{m}.{s}.jpeg" for m in (11, 12) for s in (10, 20)],
        [f"Screenshot 2023-01-0{d} at 10.11.1{s}.png" for d in (1, 2) for s in (1, 2)],
        ["dog_1.jpg", "dog_2.jpg", "IMG_1.jpg", "IMG_2.jpg"],
        ["0001_1.jpg", "0001_2.jpg", "0002_1.jpg", "0002_2.jpg"],
        ["dog_1.jpg", "dog_2.jpg", "cat_1.jpg", "1.jpg"],
        ["a_1.jpg", "b_1.jpg", "c_1.jpg", "d_1.jpg"],
    ],
)
def test_names_that_say_nothing(tmp_path, names):
    with pytest.raises(DataError, match="in no class folder left out"), open_dataset(put(tmp_path, *names)):
        pass


def test_an_expression_may_name_group_and_split(tmp_path):
    put(
        tmp_path,
        "train/p1_cat_1.jpg",
        "train/p2_dog_1.jpg",
        "val/p3_cat_1.jpg",
        "x/p4_dog_1.jpg",
        "README.png",
    )
    expression = r"^(?P<split>\w+)/(?P<group>p\d)_(?P<label>[a-z]+)_"
    with open_dataset(tmp_path, options=DataOptions(label_from=expression)) as dataset:
        assert dataset.labels == ("cat", "dog", "cat")
        assert dataset.groups == ("p1", "p2", "p3")
        assert [refusal.code for refusal in dataset.refused] == ["unknown_split"]
        assert "1 entry left out: the name does not fit the pattern" in dataset.notes


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("(", "must be a regular expression, got"),
        ("[a-z]+", "must have a group"),
        ("(?P<split>a)", "must have a group"),
    ],
)
def test_mistakes_are_named(expression, said):
    with pytest.raises(OptionError, match=said):
        DataOptions(label_from=expression)


def test_an_expression_that_fits_nothing(tmp_path):
    put(tmp_path, "cat.jpg")
    options = DataOptions(label_from=r"(?P<label>\d+)_")
    with (
        pytest.raises(DataError, match=r"must fit the paths, such as 'cat\.jpg', and fits none"),
        open_dataset(tmp_path, options=options),
    ):
        pass
