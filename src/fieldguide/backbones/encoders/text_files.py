"""What lies beside a published text encoder: graph, tokenizer, and how its texts are prepared.

Read is the layout of transformers.js: ``onnx/text_model.onnx`` beside ``onnx/vision_model.onnx``, with
``tokenizer.json``, ``tokenizer_config.json`` and ``config.json`` in the folder above.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.backbones.encoders.files import read_settings
from fieldguide.errors import BackboneError

TEXT_GRAPHS = (
    *("onnx/text_model.onnx", "text_model.onnx", "onnx/text_model_fp16.onnx", "text_model_fp16.onnx"),
    *("onnx/text_model_quantized.onnx", "text_model_quantized.onnx", "onnx/text_model_int8.onnx"),
)
"""Where the graph is looked for in a folder, the most exact first."""
LONGEST = {"clip": 77, "siglip": 64}
"""Tokens of a text, as these families were trained with, where config.json does not say it."""


@dataclass(frozen=True)
class TextFiles:
    """A published text encoder on this machine."""

    graph: Path
    """The ONNX file."""
    tokenizer: Path
    """The file of the library tokenizers."""
    longest: int
    """Tokens of a text at most; more are cut off."""
    pad: str | int | None
    """What shorter texts are filled up with, as the token or its number; None where they are not."""
    lower: bool
    """Whether texts are in small letters."""


def read_text_files(folder: Path) -> TextFiles:
    """Find the text encoder beside an image encoder.

    Texts of SigLIP are in small letters and filled up to their whole length, since the last token stands for
    the text; those of CLIP end where they end.

    Parameters
    ----------
    folder
        In the layout of transformers.js.

    Raises
    ------
    BackboneError
        If there is no text encoder or tokenizer, or a setting beside it cannot be read.
    """
    graph = _found(folder, TEXT_GRAPHS)
    tokenizer = _found(folder, ("tokenizer.json", f"{graph.parent.name}/tokenizer.json"))
    settings, tokens = (read_settings(folder / name) for name in ("config.json", "tokenizer_config.json"))
    own = settings.get("text_config")
    text: dict[str, Any] = own if isinstance(own, dict) else {}
    family = "siglip" if str(settings.get("model_type", "")).startswith("siglip") else "clip"
    longest = text.get("max_position_embeddings", LONGEST[family])
    if type(longest) is not int or not 2 <= longest <= 4096:
        raise BackboneError(
            f"{folder / 'config.json'}: text_config.max_position_embeddings must be a whole number from 2 to "
            f"4096, got {str(longest)[:40]}"
        )
    padded = family == "siglip"
    return TextFiles(graph, tokenizer, longest, _pad(tokens, text) if padded else None, padded)


def _found(folder: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise BackboneError(
        f"{folder}: holds no {names[0]}; class names need an encoder of images and texts (CLIP, SigLIP) in "
        "the layout of transformers.js, with both parts and tokenizer.json"
    )


def _pad(tokens: dict[str, Any], text: dict[str, Any]) -> str | int:
    named = tokens.get("pad_token")
    if isinstance(named, dict):
        named = named.get("content")
    if isinstance(named, str):
        return named
    number = text.get("pad_token_id", 0)
    return number if type(number) is int and number >= 0 else 0
