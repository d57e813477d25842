"""A model that answers by name, photos for it, and the file of pre-annotations that it writes."""

from pathlib import Path

from PIL import Image

from fieldguide.errors import Refusal
from fieldguide.prediction.inputs import find_inputs
from fieldguide.prediction.preannotations import preannotation_form, write_preannotations
from fieldguide.prediction.result import Prediction, refused
from fieldguide.tasks.task import Task

CLASSES = ("cat", "dog & co")
ANSWERS = {"a.jpg": "cat", "b.jpg": "cat", "deep/c.jpg": "dog & co"}
"""What the model says; ``new.jpg`` is unknown to it, ``bad.jpg`` no image."""


class Model:
    """Answers by name."""

    digest, classes, task = "0123456789abcdef" * 4, CLASSES, Task.SINGLE

    def predict_stream(self, sources, *, top=5):
        for source in sources:
            path = source.path if isinstance(source, Refusal) else source
            if path.endswith("bad.jpg"):
                yield refused(path, "truncated", "the file ends too early")
                continue
            label = next((label for name, label in ANSWERS.items() if path.endswith(name)), None)
            known = label or "cat"
            yield Prediction(
                path, known, 0.75, 0.5 if label else 0.0, label is None, (known,), ((known, 0.75),)
            )


def photos_in(folder: Path) -> Path:
    for number, name in enumerate((*ANSWERS, "new.jpg")):
        (folder / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (6, 4), (number, 0, 0)).save(folder / "photos" / name)
    (folder / "photos/bad.jpg").write_bytes(b"\xff\xd8\xff")
    return folder


def written(folder, form):
    out = folder / f"x{preannotation_form(form).SUFFIX}"
    result = write_preannotations(Model(), find_inputs([folder / "photos"]), out, form)
    assert (result.rows, result.refused) == (5, 1)
    assert not out.with_name(out.name + ".partial").exists()
    return out
