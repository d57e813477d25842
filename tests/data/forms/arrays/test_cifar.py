"""CIFAR: the order of channels, fine labels of CIFAR-100, and the pickled version refused by name."""

import numpy as np
import pytest
from PIL import Image

from fieldguide.data.dataset import open_dataset
from fieldguide.errors import DataError
from form_samples_published import CLASSES, cifar, made_pixels, write_lines


def test_pixels_are_those_of_the_original(tmp_path):
    with open_dataset(cifar(tmp_path)) as dataset:
        assert np.array_equal(np.asarray(Image.open(dataset.paths[0])), made_pixels()[0])
        assert dataset.splits == ("train",) * 4 + ("test",) * 2


def test_cifar100_has_fine_labels(tmp_path):
    rows = [bytes([9, number % 2]) + bytes(3072) for number in range(4)]
    (tmp_path / "train.bin").write_bytes(b"".join(rows))
    write_lines(tmp_path / "fine_label_names.txt", CLASSES)
    write_lines(tmp_path / "coarse_label_names.txt", ["animals"])
    with open_dataset(tmp_path) as dataset:
        assert dataset.labels == ("cat", "dog", "cat", "dog")


def test_pickles_are_refused_with_the_way_out(tmp_path):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "data_batch_1").write_bytes(b"\x80\x02}q\x01.")
    for data in (tmp_path, folder):
        with pytest.raises(DataError, match=r"pickled.*cifar-10-binary\.tar\.gz"), open_dataset(data):
            pass


@pytest.mark.parametrize(
    ("content", "said"), [(bytes(3072), "records of 3073 bytes"), (b"\x02" + bytes(3072), "below 2, got 2")]
)
def test_damaged_batches_are_named(tmp_path, content, said):
    (cifar(tmp_path) / "data_batch_2.bin").write_bytes(content)
    with pytest.raises(DataError, match=f"data_batch_2.bin: .*{said}"), open_dataset(tmp_path):
        pass
