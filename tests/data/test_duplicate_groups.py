"""Near-duplicates image by image, without chains."""

import numpy as np

from fieldguide.data.duplicate_groups import duplicate_index
from fieldguide.data.duplicates import signature
from fieldguide.images.preprocessing import Preprocessing
from made_photos import photo

SQUARE = Preprocessing(288)


def test_twins_are_those_of_an_image_and_of_its_equals_without_chains():
    signatures = np.stack([signature(SQUARE.resize(photo(seed))) for seed in (1, 1, 2, 3, 4)])
    found = duplicate_index(signatures, np.array([[0, 1], [0, 2], [2, 3]]))
    assert found.first.tolist() == [0, 0, 2, 3, 4]
    assert found.members == {0: (0, 1), 2: (2,), 3: (3,), 4: (4,)}
    assert [found.around(one) for one in (0, 2, 3, 4)] == [(2,), (0, 1, 3), (2,), ()]
