"""Which images a model learned from, as a sketch in its card."""

import base64
import hashlib
import json

import numpy as np
import pytest

from fieldguide.modelfile.contents import MOST_KEPT, ContentSketch


def digests(start, stop):
    return [hashlib.sha256(str(number).encode()).hexdigest() for number in range(start, stop)]


def read(sketch):
    return ContentSketch.read({"contents": json.loads(json.dumps(sketch.as_dict()))})


def test_small_sets_are_known_exactly_whatever_their_order():
    learned = digests(0, 400)
    sketch = read(ContentSketch.of([*reversed(learned), learned[0]]))
    assert sketch.whole
    assert sketch.images == 400
    assert sketch.as_dict() == ContentSketch.of(learned).as_dict()
    assert all(sketch.holds(digest) is True for digest in learned)
    assert all(sketch.holds(digest) is False for digest in digests(400, 1000))


def test_large_sets_are_known_by_a_random_part():
    learned = digests(0, 4000)
    sketch = read(ContentSketch.of(learned, most=1000))
    assert not sketch.whole
    mixed = [sketch.holds(digest) for digest in digests(2000, 6000)]
    told = [known for known in mixed if known is not None]
    assert 0.2 < len(told) / len(mixed) < 0.3
    assert 0.45 < sum(told) / len(told) < 0.55  # half of these were learned from
    assert not any(sketch.holds(digest) for digest in digests(4000, 6000))
    last = f"{int(sketch.values[-1]):016x}"
    assert sketch.holds(last) is True
    assert sketch.holds(f"{int(sketch.values[-1]) + 1:016x}") is None


def test_the_largest_card_stays_small():
    sketch = ContentSketch(np.arange(MOST_KEPT, dtype=np.uint64), 10**6)
    assert len(json.dumps(sketch.as_dict())) < 180_000
    assert len(read(sketch).values) == MOST_KEPT


def packed(*values):
    return base64.b64encode(np.array(values, ">u8").tobytes()).decode()


@pytest.mark.parametrize(
    "contents",
    [
        None,
        7,
        {},
        {"hash": "md5", "images": 1, "values": packed(1)},
        {"hash": "sha256-64", "images": "1", "values": packed(1)},
        {"hash": "sha256-64", "images": 2, "values": packed(2, 1)},
        {"hash": "sha256-64", "images": 1, "values": packed(1, 2)},
        {"hash": "sha256-64", "images": 2, "values": packed(1, 1)},
        {"hash": "sha256-64", "images": 1, "values": "AAA"},
        {"hash": "sha256-64", "images": 1, "values": "*" + packed(1)},
        {"hash": "sha256-64", "images": 10**6, "values": packed(*range(MOST_KEPT + 1))},
        {"hash": "sha256-64", "images": 1, "values": "A" * 10**6},
        {"hash": "sha256-64", "images": 0, "values": ""},
    ],
)
def test_what_is_no_sketch_tells_nothing(contents):
    assert ContentSketch.read({"contents": contents}) is None
