"""Pixels for small boards; that each form is run as its users run it is seen in test_export_check."""

import os
import sys
import types
from pathlib import Path

import numpy as np

from fieldguide.evaluation.export_check import LIMITS
from fieldguide.evaluation.export_runners import RUNNERS, less_128, litert_runner


def test_pixels_less_128():
    pixels = np.array([[[0, 1, 127]], [[128, 200, 255]]], np.uint8)
    found = less_128(pixels)
    assert found.dtype == np.int8
    assert found.tolist() == (pixels.astype(int) - 128).tolist()


def test_every_form_with_limits_is_run():
    assert set(RUNNERS) == set(LIMITS)


def test_what_litert_says_by_itself_stays_off_the_terminal(monkeypatch, capfd):
    class Runner:
        def get_input_details(self):
            return {"pixels": {"dtype": np.uint8}}

    class Interpreter:
        def __init__(self, **_):
            os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")

        def get_signature_runner(self):
            return Runner()

    module = types.ModuleType("interpreter")
    module.Interpreter = Interpreter
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", module)
    litert_runner(Path("any.tflite"))
    assert capfd.readouterr().err == ""
