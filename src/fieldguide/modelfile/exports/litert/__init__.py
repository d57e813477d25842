"""The part of fixed size as a LiteRT file (``.tflite``), for Android, iOS and small computers.

The graph is written directly, with the schema that LiteRT's own Python package brings: converters that go
by way of TensorFlow or PyTorch take 2 GB and more. What LiteRT has no counterpart for is refused by name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from numpy.typing import NDArray

from fieldguide.errors import OptionError
from fieldguide.modelfile.artifact import ModelFile
from fieldguide.modelfile.card import written
from fieldguide.modelfile.exports import core
from fieldguide.modelfile.exports.int8 import refuse_rounded

if TYPE_CHECKING:
    from fieldguide.modelfile.exports.litert.builder import Precision


@dataclass(frozen=True)
class LiteRTForm:
    """A LiteRT file with weights of one precision."""

    name: str
    """The form's own."""
    precision: "Precision"
    """How large weights are stored."""
    SUMMARY: str
    """What it is good for, in a line."""
    SUFFIX: str
    """How the name of an exported file ends that a person did not choose."""
    micro: bool = False
    """Whether it is for TensorFlow Lite Micro: whole numbers all through the network, few operators."""

    def convert(self, model: ModelFile) -> bytes:
        """Write the part of fixed size as a LiteRT file.

        Parameters
        ----------
        model
            Checked by :func:`fieldguide.modelfile.artifact.load_model_file`.

        Returns
        -------
        bytes
            Of the file: one input, `pixels`, uint8 of shape (1, size, size, 3), and the model's outputs under
            their names in the signature ``serving_default``; the card is its metadata entry ``fieldguide``.

        Raises
        ------
        OptionError
            If the model holds something that LiteRT has no counterpart for, or photos are needed.
        ModuleNotFoundError
            If the extra ``litert`` is not installed.
        """
        if self.micro:
            raise OptionError(
                f"to {self.name}: what passes between layers is rounded, for which photos tell the ranges; "
                "give --calibrate DATA"
            )
        return self._translated(model, self.precision, rounds=False)

    def rounded(self, model: ModelFile, squares: Sequence[NDArray[np.uint8]]) -> bytes:
        """Write the same with whole numbers of 8 bits between the layers of the network.

        Parameters
        ----------
        model
            Checked by :func:`fieldguide.modelfile.artifact.load_model_file`.
        squares
            Photos as the network sees them, each of shape (size, size, 3); a hundred are enough.

        Returns
        -------
        bytes
            Of the file; for TensorFlow Lite Micro its pixels are int8, the number of each less 128.

        Raises
        ------
        OptionError
            If the model holds something that LiteRT, or TensorFlow Lite Micro, has no counterpart for.
        ModuleNotFoundError
            If the extra ``litert`` is not installed.
        """
        from fieldguide.modelfile.exports.litert.rounding import rounded

        return rounded(self._translated(model, "float32", rounds=True), squares, pixels=self.micro)

    def _translated(self, model: ModelFile, precision: "Precision", *, rounds: bool) -> bytes:
        from fieldguide.modelfile.exports.litert.builder import Graph
        from fieldguide.modelfile.exports.litert.translation import translated
        from fieldguide.modelfile.exports.litert.values import Untranslatable

        refuse_rounded(model, self.name)
        part = onnx.load_model_from_string(core.convert(model))
        graph = Graph(precision, rounds, self.micro)
        try:
            inputs, outputs = translated(part, graph)
        except Untranslatable as error:
            raise OptionError(
                f"{model.path}: to {self.name}: this {model.card.get('recipe')} model holds {error}, "
                f"which is not translated; {self._way_out()}"
            ) from error
        return graph.finished(inputs, outputs, written(self.told(model)).encode())

    def _way_out(self) -> str:
        if self.micro:
            return "docs/phones.md says which models small boards can run"
        return "use --to core with ONNX Runtime's builds for phones, or another recipe or backbone"

    def told(self, model: ModelFile) -> dict[str, Any]:
        """The card that goes with it."""
        exported = {"to": self.name, "from": model.digest}
        return {
            **core.without_contents(model),
            "exported": {**exported, "pixels": LESS_128} if self.micro else exported,
        }

    def beside(self, model: ModelFile) -> bytes:
        """The card as a JSON file."""
        return (written(self.told(model)) + "\n").encode()


MICRO = "litert-micro"
"""The form for boards without an operating system."""
LESS_128 = "int8: the number of each less 128"
"""What a file for TensorFlow Lite Micro takes."""
FORMS = {
    form.name: form
    for form in (
        LiteRTForm(
            "litert",
            "float32",
            "a .tflite for Android, iOS and small computers; photos are resized by the host",
            ".tflite",
        ),
        LiteRTForm("litert-float16", "float16", "the same, with weights of 16 bits", "-float16.tflite"),
        LiteRTForm("litert-int8", "int8", "the same, with weights of 8 bits", "-int8.tflite"),
        LiteRTForm(
            MICRO,
            "int8",
            "a small network for TensorFlow Lite Micro, on boards without an operating system",
            "-micro.tflite",
            micro=True,
        ),
    )
}
"""By name."""
