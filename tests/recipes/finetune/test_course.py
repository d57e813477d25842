"""What learns, how often and at which sizes, by what there is time for."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fieldguide.recipes.finetune.course import (
    LAST_LAYERS,
    Course,
    Prices,
    course_by_hand,
    course_for,
    measured,
    seconds_after,
)
from fieldguide.recipes.finetune.presets import FinetunePreset

PRESET = FinetunePreset("x", 288, None, 12, 4, "larger photos")
PRICES = Prices(look=0.02, step=lambda side: 0.06 * (side / 288) ** 2, last_step=0.012)


def images(learn, held):
    return SimpleNamespace(learn=np.arange(learn), held=np.arange(held))


def chosen(seconds, learn=1000, held=200, preset=PRESET):
    return course_for(preset, images(learn, held), 288, seconds, PRICES)


def test_all_layers_learn_over_growing_photos_where_there_is_time():
    course = chosen(800)
    assert (course.layers, course.variants, course.most_steps) == (1.0, 0, None)
    assert course.stages == ((0.6, 160), (1.0, 224))
    assert 4 <= course.epochs <= 12
    assert chosen(100_000).epochs == 12


def test_the_last_layers_learn_where_there_is_not():
    course = chosen(80)
    assert (course.layers, course.stages) == (LAST_LAYERS, ())
    assert 1 <= course.variants <= course.epochs


def test_with_hardly_any_time_a_pass_takes_a_part_of_the_images():
    course = chosen(30, learn=10_000)
    assert course.epochs == 4
    assert 1 <= course.most_steps < 10_000 // 32


def seconds_of(course, learn, held):
    """What the passes of a course take at these prices, reckoned pass by pass."""
    if course.layers < 1:
        frozen = 0.02 * (course.variants * learn + held)
        return frozen + course.epochs * (learn * 0.012 + held * 0.02 * 0.2)
    total = 0.0
    for number in range(course.epochs):
        done = (number + 0.5) / course.epochs
        side = next(side for until, side in course.stages if done <= until)
        total += learn * PRICES.step(side) + held * 0.02
    return total


def test_what_comes_after_training_is_five_looks_at_the_held_out_and_one_at_the_learned():
    assert seconds_after(images(1000, 200), PRICES) == pytest.approx(0.02 * (5 * 200 + 1000))


@pytest.mark.parametrize("seconds", [80, 120, 240, 500, 800, 2000])
@pytest.mark.parametrize("learn", [300, 1000, 5000])
def test_what_is_chosen_fits_into_the_time(seconds, learn):
    course = chosen(seconds, learn)
    assert course.most_steps or seconds_of(course, learn, 200) <= 1.1 * seconds


def test_a_share_of_layers_that_was_given_is_kept():
    half = FinetunePreset("x", 288, 0.5, 12, 4, "larger photos")
    assert chosen(2000, preset=half).layers == 0.5
    whole = FinetunePreset("x", 288, 1.0, 12, 0, "larger photos")
    assert chosen(30, learn=10_000, preset=whole).layers == 1.0


def test_by_hand_no_clock_decides():
    assert course_by_hand(PRESET, 288, 3) == Course(1.0, 0, 3, None, ((0.6, 160), (1.0, 224)))
    half = FinetunePreset("x", 288, 0.5, 12, 4, "larger photos")
    assert course_by_hand(half, 288, 3) == Course(0.5, 3, 3)


def test_what_was_kept_as_json_is_read_back():
    course = Course(1.0, 0, 3, 7, ((0.6, 160), (1.0, 224)))
    as_json = {**vars(course), "stages": [[0.6, 160], [1.0, 224]]}
    assert Course.kept(as_json) == course


class Timed(torch.nn.Module):
    """A network whose first half may be frozen."""

    def __init__(self, frozen):
        super().__init__()
        first, rest = torch.nn.Conv2d(3, 8, 3, stride=2), torch.nn.Conv2d(8, 8, 3)
        self.body = SimpleNamespace(frozen_steps=frozen, first=lambda images: (first(images), None))
        self.first_layer, self.rest = first, rest
        if frozen:
            first.requires_grad_(False)

    def forward(self, images, early=False):
        values = self.first_layer(images) if early is False else images
        return self.rest(values).mean((2, 3))


def test_prices_are_seconds_and_grow_with_the_photo():
    prices = measured(Timed(0), Timed(1), 128)
    assert min(prices.look, prices.last_step, prices.step(128)) > 0
    assert prices.step(512) > prices.step(64)
