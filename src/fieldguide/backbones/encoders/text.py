"""Texts as vectors, beside those of images: the other half of CLIP and SigLIP, without torch."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.backbones.encoders.text_files import TextFiles, read_text_files
from fieldguide.errors import BackboneError, ModelFileError
from fieldguide.installation import command_for
from fieldguide.modelfile.session import open_session, reason_of
from fieldguide.progress import Progress, silent

if TYPE_CHECKING:
    from tokenizers import Tokenizer

OUTPUTS = ("text_embeds", "pooler_output")
"""By the names that transformers gives them, what is taken first."""
TOKENIZER_BYTES = 100_000_000
"""A tokenizer of 256,000 words takes 35 MB."""
STAGE = "texts"


def embedded(folder: Path, texts: Sequence[str], progress: Progress = silent) -> NDArray[np.float64]:
    """Give each text the vector that images of what it says lie near.

    Parameters
    ----------
    folder
        An encoder of images and texts in the layout of transformers.js.
    texts
        At least one; what is longer than the encoder reads is cut off.
    progress
        Callback for progress: the stage :data:`STAGE`.

    Returns
    -------
    ndarray of shape (n_texts, width)
        Each of length 1.

    Raises
    ------
    BackboneError
        If the encoder, its tokenizer or the library that reads it is missing, or it does not run.
    """
    files = read_text_files(folder)
    encoder = _TextEncoder(files)
    vectors = []
    for number, text in enumerate(texts):
        progress(STAGE, number, len(texts))
        vectors.append(encoder.vector(text))
    progress(STAGE, len(texts), len(texts))
    return np.stack(vectors)


class _TextEncoder:
    """A tokenizer and a session; a text at a time, so that none is filled up for another's sake."""

    def __init__(self, files: TextFiles) -> None:
        self._files = files
        self._tokenizer, self._pad = _tokenizer(files)
        try:
            self._session = open_session(files.graph, str(files.graph), 1)
        except ModelFileError as error:
            raise BackboneError(str(error)) from error
        self._inputs = {value.name: value.type for value in self._session.get_inputs()}
        foreign = sorted(set(self._inputs) - {"input_ids", "attention_mask"})
        if foreign or "input_ids" not in self._inputs:
            raise BackboneError(
                f"{files.graph}: a text encoder takes input_ids and attention_mask, got "
                f"{', '.join(self._inputs)}; take the text part (text_model.onnx)"
            )

    def vector(self, text: str) -> NDArray[np.float64]:
        """Of length 1, of shape (width,)."""
        numbers = list(self._numbers(text.lower() if self._files.lower else text))
        given = {"input_ids": [numbers], "attention_mask": [[1] * len(numbers)]}
        kinds = {name: np.int32 if "int32" in kind else np.int64 for name, kind in self._inputs.items()}
        feed = {name: np.array(given[name], dtype=kind) for name, kind in kinds.items()}
        try:
            values = self._session.run([self._output()], feed)[0]
        except Exception as error:  # ONNX Runtime's own kinds of exceptions have no common base
            raise BackboneError(
                f"{self._files.graph}: does not run on {text!r} ({reason_of(error)})"
            ) from error
        found = np.asarray(values, dtype=np.float64)
        norm = float(np.linalg.norm(found))
        if found.ndim != 2 or len(found) != 1 or not np.isfinite(norm) or norm == 0:
            raise BackboneError(
                f"{self._files.graph}: gives no vector for {text!r}, but values of shape {found.shape} and "
                f"length {norm:g}"
            )
        return np.asarray(found[0] / norm)

    def _output(self) -> str:
        names = [value.name for value in self._session.get_outputs()]
        wanted: list[str] = [*OUTPUTS, *(names if len(names) == 1 else ())]
        for name in wanted:
            if name in names:
                return name
        raise BackboneError(
            f"{self._files.graph}: has none of the outputs {', '.join(OUTPUTS)}, but {', '.join(names)}"
        )

    def _numbers(self, text: str) -> Iterator[int]:
        """The tokens' numbers; a text that is cut off keeps its last token, which ends it."""
        numbers, longest = self._tokenizer.encode(text).ids, self._files.longest
        if not numbers:
            raise BackboneError(f"{self._files.tokenizer}: finds no token in {text!r}; use other words")
        yield from numbers if len(numbers) <= longest else [*numbers[: longest - 1], numbers[-1]]
        if self._pad is not None:
            yield from [self._pad] * (longest - len(numbers))


def _tokenizer(files: TextFiles) -> tuple["Tokenizer", int | None]:
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise BackboneError(
            f"{files.tokenizer}: the library that reads it is not installed; run: {command_for('text')}"
        ) from error
    if files.tokenizer.stat().st_size > TOKENIZER_BYTES:
        raise BackboneError(f"{files.tokenizer}: is larger than {TOKENIZER_BYTES / 1e6:.0f} MB")
    try:
        found: Any = Tokenizer.from_file(str(files.tokenizer))
    except Exception as error:  # it raises plain Exceptions
        raise BackboneError(
            f"{files.tokenizer}: cannot be read as a tokenizer ({reason_of(error)})"
        ) from error
    found.no_padding()
    found.no_truncation()
    pad = found.token_to_id(files.pad) if isinstance(files.pad, str) else files.pad
    if files.pad is not None and pad is None:
        raise BackboneError(f"{files.tokenizer}: does not know the token {files.pad!r} that fills texts up")
    return found, pad
