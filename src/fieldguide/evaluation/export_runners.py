"""How each form of an exported file is run, as its user runs it."""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fieldguide.evaluation.micro_interpreter import micro_interpreter
from fieldguide.evaluation.web_runner import web_runner
from fieldguide.modelfile.exports.litert import MICRO
from fieldguide.modelfile.exports.litert.standard_error import caught
from fieldguide.modelfile.session import open_session
from fieldguide.prediction.predictor import NAMES, Outputs, load
from fieldguide.threads import usable_cores

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class ExportPhoto:
    """As the network and, where the export resizes by itself, as the export sees it."""

    square: Pixels
    whole: Pixels | None


Run: TypeAlias = Callable[[list[ExportPhoto]], tuple[Outputs, float]]
"""Photos to the outputs of the export, and the seconds that took."""


def timed(run: Callable[[Pixels], Outputs], pixels: Pixels) -> tuple[Outputs, float]:
    """Outputs, and the seconds that they took."""
    started = time.perf_counter()
    return run(pixels), time.perf_counter() - started


def litert_runner(path: Path) -> Callable[[Pixels], Outputs]:
    """Run a LiteRT file on squares of pixels, in LiteRT."""
    from ai_edge_litert.interpreter import Interpreter

    with caught():
        runner = Interpreter(model_path=str(path), num_threads=usable_cores()).get_signature_runner()
    signed = runner.get_input_details()["pixels"]["dtype"] == np.int8

    def run(pixels: Pixels) -> Outputs:
        given = less_128(pixels) if signed else pixels
        answers = [runner(pixels=one[None]) for one in given]
        return Outputs(*(np.concatenate([answer[name] for answer in answers]) for name in NAMES))

    return run


def less_128(pixels: Pixels) -> NDArray[np.int8]:
    """The number of each less 128, as files for TensorFlow Lite Micro take them."""
    return (pixels ^ 0x80).view(np.int8)


def _of_squares(run: Callable[[Pixels], Outputs]) -> Run:
    return lambda photos: timed(run, np.stack([photo.square for photo in photos]))


@contextlib.contextmanager
def _model(path: Path) -> Iterator[Run]:
    yield _of_squares(load(path).run)


@contextlib.contextmanager
def _core(path: Path) -> Iterator[Run]:
    session = open_session(path, str(path), usable_cores())
    yield _of_squares(lambda pixels: Outputs(*session.run(NAMES, {"pixels": pixels})))


@contextlib.contextmanager
def _litert(path: Path) -> Iterator[Run]:
    yield _of_squares(litert_runner(path))


@contextlib.contextmanager
def _micro(path: Path) -> Iterator[Run]:
    interpreter = micro_interpreter(path)

    def run(pixels: Pixels) -> Outputs:
        answers = []
        for one in less_128(pixels):
            interpreter.set_input(one[None], 0)
            interpreter.invoke()
            answers.append([interpreter.get_output(place).copy() for place in range(len(NAMES))])
        return Outputs(*(np.concatenate(column) for column in zip(*answers, strict=True)))

    yield _of_squares(run)


@contextlib.contextmanager
def _web(path: Path) -> Iterator[Run]:
    with web_runner(path) as runner:
        yield lambda photos: runner.run([photo.whole for photo in photos if photo.whole is not None])


RUNNERS: dict[str, Callable[[Path], AbstractContextManager[Run]]] = {
    "int8": _model,
    "core": _core,
    "litert": _litert,
    "litert-float16": _litert,
    "litert-int8": _litert,
    MICRO: _micro,
    "web": _web,
}
"""By form."""
