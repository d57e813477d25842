"""Whether images to measure on are images that the model learned from."""

import hashlib

from fieldguide.data.dataset import Dataset
from fieldguide.evaluation.learned_images import LearnedPart, learned_images
from fieldguide.modelfile.contents import ContentSketch


def test_copies_count_wherever_they_lie(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
    (tmp_path / "copy of a").write_text("a")
    sketch = ContentSketch.of([hashlib.sha256(name).hexdigest() for name in (b"a", b"b")])
    paths = tuple(str(tmp_path / name) for name in ("copy of a", "b", "c", "gone"))
    dataset = Dataset(tmp_path, paths, ("x", "x", "y", "y"))
    found = learned_images({"data": {"contents": sketch.as_dict()}}, dataset)
    assert found.known == (True, True, False, None)
    assert (found.found, found.told) == (2, 3)
    assert learned_images({"data": {}}, dataset) is None
    assert learned_images({}, dataset) is None


def test_sentences():
    def said(n, told, measured):
        return LearnedPart(n, told, measured, measured - n, None).summary

    assert said(312, 400, 400).startswith("312 of 400 of these photos are photos the model learned from; ")
    assert said(18, 18, 18).startswith("all 18 of these photos are photos the model learned from; ")
    assert said(50, 100, 400).startswith(
        "50 of 100 photos that can be checked (400 were measured) are photos "
    )
    assert said(0, 4, 4) == ""
