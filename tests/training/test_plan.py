"""How many steps a pass has."""

import pytest

from fieldguide.training.plan import Plan


@pytest.mark.parametrize(
    ("images", "batch", "most", "steps"),
    [(96, 16, None, 6), (100, 16, None, 6), (5, 16, None, 1), (96, 16, 2, 2)],
)
def test_steps_of_a_pass(images, batch, most, steps):
    assert Plan(images=images, epochs=1, batch_size=batch, most_steps=most).steps_per_epoch == steps
