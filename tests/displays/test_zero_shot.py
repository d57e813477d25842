"""How a model of class names shows itself."""

from pathlib import Path

from fieldguide.displays.zero_shot import html, lines
from fieldguide.learning.zero_shot.result import ZeroShotResult


def test_what_it_cannot_promise_is_shown_and_names_are_text():
    card = {
        "backbone": {"name": "colours"},
        "classes": ["<b>ash</b>", "oak"],
        "choices": ["compared with texts"],
        "limits": ["this model can never say unknown"],
    }
    result = ZeroShotResult(Path("m.onnx"), card, None, (), ())
    assert list(lines(result)) == [
        "m.onnx: 2 classes (<b>ash</b>, oak) by colours",
        "  compared with texts",
        "this model can never say unknown",
    ]
    page = html(result)
    assert "&lt;b&gt;ash" in page and "<b>ash" not in page and "can never say unknown" in page
