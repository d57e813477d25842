"""items.py: every kind of input has a name."""

from fieldguide.errors import Refusal
from fieldguide.prediction.items import EmbeddedImage, path_of
from fieldguide.storage.object_store import ObjectUrl


def test_every_kind_of_input_is_named_as_results_name_it():
    items = [
        "a.jpg",
        ObjectUrl("s3://b/a.jpg"),
        EmbeddedImage("t.zip/a.jpg", "/tmp/x"),
        Refusal("b", "missing", "-"),
    ]
    assert [path_of(item) for item in items] == ["a.jpg", "s3://b/a.jpg", "t.zip/a.jpg", "b"]
