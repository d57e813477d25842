"""Images as other processes get them."""

from dataclasses import asdict

import numpy as np

from fieldguide.images.preprocessing import Preprocessing
from fieldguide.recipes.networks.shared_images import arrays_of, images_of, preprocessing_of
from fieldguide.tasks.task import Task


def test_images_to_learn_from_are_the_same():
    pixels, learn = np.arange(5 * 12).reshape(5, 2, 2, 3).astype(np.uint8), np.array([0, 2, 3])
    made = images_of({"pixels": pixels, "numbers": np.arange(5) % 3, "learn": learn}, 3)
    assert made.task is Task.SINGLE and len(made.classes) == 3
    assert made.shares().tolist() == [2 / 3, 0, 1 / 3]
    assert arrays_of(made)["pixels"] is pixels


def test_preprocessing_survives_being_json():
    own = Preprocessing(32, mean=(0.1, 0.2, 0.3))
    facts = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(own).items()}
    assert preprocessing_of(facts) == own
