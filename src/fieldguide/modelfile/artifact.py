"""The model file: seal it, and open it again only if nothing in it is damaged or hostile.

docs/artifact.md is the specification. Everything here happens before a session is made and without the onnx
package; nothing is ever unpickled or unpacked, and there is no second, more forgiving way in.
"""

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import Any

from fieldguide.errors import ModelFileError
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.installation import program_command
from fieldguide.modelfile.card import SPEC, preprocessing_of, read_card
from fieldguide.modelfile.checks import check_model
from fieldguide.modelfile.wire_format import Message, Unacceptable, read_model, text_of
from fieldguide.tasks.task import Task

__all__ = ["CARD_KEY", "MAX_BYTES", "SEAL_KEY", "SPEC", "ModelFile", "load_model_file", "seal"]

CARD_KEY = "fieldguide"
"""Of the metadata entry that holds the card."""
PRODUCER = "fieldguide"
"""Of every model file, in the field `producer_name`."""
SEAL_KEY = "fieldguide.sha256"
"""Of the metadata entry that ends the file."""
MAX_BYTES = 2_000_000_000
"""Protobuf messages end at 2 GiB."""

# Field 14 of ModelProto (metadata_props), 85 bytes: key of 17 bytes, value of 64.
_SEAL_HEAD = b"\x72\x55\x0a\x11" + SEAL_KEY.encode() + b"\x12\x40"
_SEAL_BYTES = len(_SEAL_HEAD) + 64

_STRANGERS = (
    (0, b"PK\x03\x04", "a zip archive (a PyTorch, Keras or NumPy file)"),
    (0, b"PK\x05\x06", "a zip archive"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\x89HDF", "an HDF5 file (Keras)"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ", "an xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (257, b"ustar", "a tar archive"),
    (4, b"TFL3", "a TensorFlow Lite file"),
    (4, b"ORTM", "a model in ONNX Runtime's own format"),
    (8, b'{"', "a safetensors file"),
)


@dataclass(frozen=True)
class ModelFile:
    """A model file that passed every check."""

    path: str
    """Where it was read; for messages only."""
    content: bytes
    """The whole file, as a session takes it: what was checked is what runs."""
    card: dict[str, Any]
    """The JSON object in its metadata; docs/artifact.md says field by field what it holds."""
    digest: str
    """The SHA-256 that seals it, as 64 hexadecimal digits; names this model among others."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in column order."""
        return tuple(self.card["classes"])

    @property
    def task(self) -> Task:
        """Whether it gives one label an image or any number of tags."""
        return Task.of_card(self.card)

    @property
    def preprocessing(self) -> Preprocessing:
        """What a host may do to images by itself before the graph sees them."""
        return preprocessing_of(self.card)


def load_model_file(path: str | os.PathLike[str]) -> ModelFile:
    """Read a model file and check it.

    Raises
    ------
    ModelFileError
        If it is missing, of another kind, damaged, hostile, or written by a newer fieldguide.
    """
    return checked_model_file(_read(path), os.fspath(path))


def checked_model_file(content: bytes, path: str) -> ModelFile:
    """Check a model file's content; `path` is what messages call it.

    Raises
    ------
    ModelFileError
        As :func:`load_model_file` does.
    """
    try:
        _check_kind(content)
        digest = _check_seal(content)
        model = read_model(content)
        card = read_card(_card_text(model))
        check_model(model, len(card["classes"]))
    except Unacceptable as error:
        raise ModelFileError(f"{path}: not a model file that may be used: {error}") from error
    return ModelFile(path, content, card, digest)


def seal(model: bytes) -> bytes:
    """End a serialised ONNX model with the SHA-256 of itself.

    The seal is one more metadata entry, so that the file stays a valid ONNX model. It tells damage, not
    forgery: whoever changes a file on purpose can seal it again. A seal that is there already is replaced.

    Returns
    -------
    bytes
        `model` and 87 bytes more.
    """
    body = model[:-_SEAL_BYTES] if _seal_of(model) is not None else model
    return body + _SEAL_HEAD + hashlib.sha256(body).hexdigest().encode()


def _seal_of(content: bytes) -> bytes | None:
    tail = content[-_SEAL_BYTES:]
    return tail[-64:] if len(tail) == _SEAL_BYTES and tail.startswith(_SEAL_HEAD) else None


def _check_seal(content: bytes) -> str:
    stated = _seal_of(content)
    found = hashlib.sha256(memoryview(content)[:-_SEAL_BYTES]).hexdigest()
    if stated is not None and found.encode() == stated:
        return found
    rewritten = _rewritten(content)
    if rewritten:
        raise Unacceptable(rewritten)
    if stated is None:
        raise Unacceptable(
            "it does not end with fieldguide's seal, so it was cut off or written by something else; "
            f"copy it again, or write it with {program_command('train')}"
        )
    raise Unacceptable(
        "its bytes are not those that were sealed: if it was damaged in transit, copy it again; if another "
        "program changed it, use the file that fieldguide wrote"
    )


def _rewritten(content: bytes) -> str | None:
    """Why a file of fieldguide's has another seal or none, where another program has written it anew."""
    if b"\x0a\x0afieldguide\x12" not in content:  # the key of the card, and the beginning of its value
        return None
    try:
        model = read_model(content)
    except Unacceptable as error:
        if "external data" not in str(error):
            return None
        return (
            "another program has moved its weights into a file beside it, as MLflow's onnx.log_model does; "
            "use the file that fieldguide wrote, and keep it whole: mlflow.log_artifact"
        )
    name = _other_program(model, content)
    if name is None:
        return None
    return (
        f"another program ({name}) has rewritten it since it was sealed, as a simplifier does, so its "
        "answers are no longer those that were measured; use the file that fieldguide wrote, or make it "
        f"smaller with: {program_command('export')}"
    )


def _other_program(model: Message, content: bytes) -> str | None:
    """Who has written a whole ONNX model with fieldguide's card anew; None where nothing shows that."""
    producer = text_of(model.get("producer_name", b""))
    if producer != PRODUCER:
        return repr(producer[:40] or "without a name")
    keys = [text_of(entry.get("key", b"")) for entry in model["metadata_props"]]
    if SEAL_KEY not in keys or _seal_of(content) is not None:
        return None  # cut off, or a flipped bit, or changed in place
    named = next((key.partition(".")[0] for key in keys if key not in (CARD_KEY, SEAL_KEY)), "not named")
    return repr(named[:40]) if named != "not named" else named


def _check_kind(content: bytes) -> None:
    """Refuse other kinds of files by content; the walk would refuse them too, with less helpful words."""
    if not content:
        raise Unacceptable("it is empty")
    if len(content) > 1 and content[0] == 0x80 and 2 <= content[1] <= 5:
        raise Unacceptable("it is a Python pickle, which can run programs and is never opened")
    for place, mark, kind in _STRANGERS:
        if content[place : place + len(mark)] == mark:
            raise Unacceptable(f"it is {kind}, not an ONNX model")


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to would wait forever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ModelFileError(f"{os.fspath(path)}: not a file; give the .onnx file itself")
            if status.st_size > MAX_BYTES:
                size = f"{status.st_size:,} bytes, at most {MAX_BYTES:,} are read"
                raise ModelFileError(f"{os.fspath(path)}: not a model file that may be used: it has {size}")
            return file.read(MAX_BYTES)
    except IsADirectoryError as error:
        raise ModelFileError(f"{os.fspath(path)}: a folder; give the .onnx file itself") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no such name can exist"
        raise ModelFileError(
            f"{os.fspath(path)}: the model file cannot be read ({reason}); check the path"
        ) from error


def _card_text(model: Message) -> memoryview:
    entries = [
        (bytes(entry.get("key", b"")), entry.get("value", memoryview(b"")))
        for entry in model["metadata_props"]
    ]
    keys = [key for key, _ in entries]
    if len(set(keys)) != len(keys):
        raise Unacceptable("two of its metadata entries have the same key")
    texts: dict[bytes, memoryview] = dict(entries)
    if CARD_KEY.encode() not in texts:
        raise Unacceptable(
            f"it has no card (metadata entry 'fieldguide'); write it with {program_command('train')}"
        )
    return texts[CARD_KEY.encode()]
