"""The part of fixed size as a LiteRT file (``.tflite``), for Android, iOS and small computers.

The graph is written directly, with the schema that LiteRT's own Python package brings: converters that go
by way of TensorFlow or PyTorch take 2 GB and more. What LiteRT has no counterpart for is refused by name.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import onnx

from fieldguide.errors import OptionError
from fieldguide.modelfile.artifact import ModelFile
from fieldguide.modelfile.card import written
from fieldguide.modelfile.exports import core

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
            If the model holds something that LiteRT has no counterpart for.
        ModuleNotFoundError
            If the extra ``litert`` is not installed.
        """
        from fieldguide.modelfile.exports.litert.builder import Graph
        from fieldguide.modelfile.exports.litert.translation import translated
        from fieldguide.modelfile.exports.litert.values import Untranslatable

        part = onnx.load_model_from_string(core.convert(model))
        graph = Graph(self.precision)
        try:
            inputs, outputs = translated(part, graph)
        except Untranslatable as error:
            raise OptionError(
                f"{model.path}: to {self.name}: this {model.card.get('recipe')} model holds {error}, "
                "which is not translated; use --to core with ONNX Runtime's builds for phones, or another "
                "recipe or backbone"
            ) from error
        return graph.finished(inputs, outputs, written(self.told(model)).encode())

    def told(self, model: ModelFile) -> dict[str, Any]:
        """The card that goes with it."""
        return {**core.without_contents(model), "exported": {"to": self.name, "from": model.digest}}

    def beside(self, model: ModelFile) -> bytes:
        """The card as a JSON file."""
        return (written(self.told(model)) + "\n").encode()


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
    )
}
"""By name."""
