"""STL-10: columns first; images without labels are said."""

import numpy as np
import pytest
from PIL import Image

from fieldguide.data.dataset import open_dataset
from fieldguide.errors import DataError
from form_samples_published import made_pixels, stl10


def test_pixels_are_those_of_the_original(tmp_path):
    (stl10(tmp_path) / "unlabeled_X.bin").write_bytes(bytes(27648))
    with open_dataset(tmp_path) as dataset:
        assert np.array_equal(np.asarray(Image.open(dataset.select("train").paths[0])), made_pixels(96)[0])
        assert any("unlabeled_X.bin have no labels" in note for note in dataset.notes)


@pytest.mark.parametrize(
    ("labels", "said"), [(b"\x01", "for each of 1 labels, got 110592"), (b"\x01\x02\x03\x00", "0 to 3")]
)
def test_labels_that_do_not_fit_are_named(tmp_path, labels, said):
    (stl10(tmp_path) / "train_y.bin").write_bytes(labels)
    with pytest.raises(DataError, match=said), open_dataset(tmp_path):
        pass
