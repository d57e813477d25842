"""A model that answers with the name of an image, for what writes answers."""

import os

from fieldguide.errors import Refusal
from fieldguide.prediction.inputs import path_of
from fieldguide.prediction.result import Prediction


class Oracle:
    """Answers with the name; "bad" in it is refused. Counts what it was asked."""

    digest = "f" * 64

    def __init__(self, fail_after=None):
        self.asked, self.fail_after = [], fail_after

    def predict_stream(self, sources, *, top=5):
        for source in sources:
            if self.fail_after is not None and len(self.asked) >= self.fail_after:
                raise KeyboardInterrupt
            self.asked.append(path_of(source))
            if "bad" in path_of(source):
                error = Refusal(source, "truncated", "the file ends too early")
                yield Prediction(source, None, None, None, None, (), (), error)
            else:
                top_classes = (("=evil", 0.9), ("b", 0.1))
                yield Prediction(source, "=evil", 0.9, 0.5, False, ("=evil", "b"), top_classes[:top])


NAMES = ["one.jpg", "bad.jpg", os.fsdecode(b"odd\xff\n,=cmd.jpg"), "=x.jpg", "'a.jpg", "猫.jpg"]
