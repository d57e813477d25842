"""The images of a data set, one by one."""

import json

import numpy as np
import pytest
from PIL import Image

import field_originals_made as made
from catalogue_made import content_of
from fieldguide.data.catalogue.originals import unpacked
from fieldguide.data.catalogue.preparation import write
from fieldguide.data.catalogue.readers import folder_name
from fieldguide.errors import DataError


def test_every_class_of_torchvision_has_a_folder_of_its_own():
    from torchvision import datasets

    for loader in (datasets.FashionMNIST, datasets.MNIST, datasets.Flowers102):
        folders = {folder_name(name).casefold() for name in loader.classes}
        assert len(folders) == len(loader.classes)
        assert not any(set(folder) & set('<>:"/\\|?*') for folder in folders)


@pytest.mark.parametrize(
    ("label", "folder"),
    [
        ("T-shirt/top", "T-shirt-top"),
        ("pink-yellow dahlia?", "pink-yellow dahlia"),
        ("colt's foot", "colt's foot"),
        ("a:b\\c\x07d.", "a-b-c-d"),
    ],
)
def test_a_class_name_is_made_fit_for_every_file_system(label, folder):
    assert folder_name(label) == folder


def test_pixels_of_cifar10_are_exact(given, tmp_path, monkeypatch):
    made.make("cifar10", given, monkeypatch)
    write("cifar10", tmp_path / "out", root=given)
    for file, split, number, index in ((0, "train", 3, 3), (4, "train", 19, 99), (5, "test", 0, 0)):
        path = tmp_path / "out" / split / made.CIFAR10[number % 10] / f"{index:05}.png"
        expected = made.pixels(file, number, shape=(3, 32, 32)).transpose(1, 2, 0)
        np.testing.assert_array_equal(np.asarray(Image.open(path)), expected)


def test_cifar100_goes_by_its_fine_classes(given, tmp_path, monkeypatch):
    made.make("cifar100", given, monkeypatch)
    write("cifar100", tmp_path / "out", root=given)
    image = np.asarray(Image.open(tmp_path / "out" / "test" / "thing_07" / "00007.png"))
    np.testing.assert_array_equal(image, made.pixels(1, 7, shape=(3, 32, 32)).transpose(1, 2, 0))


@pytest.mark.parametrize(("name", "folder"), [("mnist", "0"), ("fashion-mnist", "T-shirt-top")])
def test_pixels_of_mnists_kind_are_exact(name, folder, given, tmp_path, monkeypatch):
    made.make(name, given, monkeypatch)
    write(name, tmp_path / "out", root=given)
    image = Image.open(tmp_path / "out" / "test" / folder / "00010.png")
    assert image.mode == "L"
    np.testing.assert_array_equal(np.asarray(image), made.pixels(1, shape=(30, 28, 28))[10])


def test_jpegs_are_copied_byte_for_byte_under_the_originals_words(given, tmp_path, monkeypatch):
    expected = {
        "flowers102": {"validation/pink primrose/image_00103.jpg": made.jpeg(103)},
        "oxford-pets": {"test/American Bulldog/american_bulldog_4.jpg": made.jpeg(2, 4)},
        "food101": {"train/beef_tartare/2.jpg": made.jpeg(1, 2)},
        "eurosat": {"River/River_1.jpg": made.jpeg(1, 1)},
    }
    for name, files in expected.items():
        made.make(name, given / name, monkeypatch)
        write(name, tmp_path / name, root=given / name)
        assert files.items() <= content_of(tmp_path / name).items()


def test_nothing_is_unpickled(given, tmp_path, monkeypatch):
    import pickle

    import torch

    def refuse(*arguments, **settings):
        raise AssertionError("unpickled")

    for name in ("mnist", "cifar10"):
        entry = made.make(name, given / name, monkeypatch)
        laid_out = unpacked(entry, given / name, download=False).rename(tmp_path / f"{name} laid out")
        # What torchvision's own classes would load instead.
        for file in (
            "MNIST/processed/training.pt",
            "MNIST/processed/test.pt",
            "cifar-10-batches-py/test_batch",
        ):
            (laid_out / file).parent.mkdir(parents=True, exist_ok=True)
            (laid_out / file).write_bytes(b"\x80\x04.")
        monkeypatch.setattr(pickle, "load", refuse)
        monkeypatch.setattr(torch, "load", refuse)
        assert write(name, tmp_path / name, root=laid_out).written == entry.images


def test_unpacked_files_that_lack_images_are_refused(given, tmp_path, monkeypatch):
    entry = made.make("food101", given, monkeypatch)
    laid_out = unpacked(entry, given, download=False)
    (laid_out / "food-101/images/apple_pie/1.jpg").unlink()
    with pytest.raises(DataError, match=r"1 of its images are missing, first .*apple_pie.1\.jpg"):
        write("food101", tmp_path / "out", root=laid_out)
    lists = laid_out / "food-101/meta/train.json"
    lists.write_text(json.dumps({"apple_pie": ["apple_pie/0"], "beef_tartare": ["beef_tartare/0"]}))
    with pytest.raises(DataError, match=r"must have 8 images, the files in .* hold 4"):
        write("food101", tmp_path / "out", root=laid_out)
    lists.write_text("{")
    with pytest.raises(DataError, match=r"cannot be read .*JSONDecodeError"):
        write("food101", tmp_path / "out", root=laid_out)


def test_cut_cifar_files_are_refused(given, tmp_path, monkeypatch):
    laid_out = unpacked(made.make("cifar10", given, monkeypatch), given, download=False)
    file = laid_out / "cifar-10-batches-bin/data_batch_2.bin"
    file.write_bytes(file.read_bytes()[:-7])
    with pytest.raises(DataError, match="cannot be read"):
        write("cifar10", tmp_path / "out", root=laid_out)
