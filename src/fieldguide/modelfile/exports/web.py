"""A folder for any host of plain files: a page that answers by itself, in the browser, also offline.

Beside the page lie the model file, whole and sealed, its card as JSON, and ONNX Runtime Web. Nothing is
fetched from anywhere else. Photos are decoded by the browser and resized in JavaScript, in the way that
docs/artifact.md defines; the graph in the model file passes their squares unchanged.
"""

import hashlib
import importlib.resources
import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from fieldguide.errors import OptionError
from fieldguide.files import new_folder
from fieldguide.modelfile.artifact import ModelFile, checked_model_file
from fieldguide.modelfile.card import written
from fieldguide.modelfile.exports import core, int8
from fieldguide.modelfile.exports.web_runtime import WebRuntime
from fieldguide.modelfile.limits import limits_of

SUMMARY = "a page for any host of plain files, which answers in the browser, also offline"
SUFFIX = "-web"
"""Added to the name of the model where a person did not choose another."""

Precision = Literal["auto", "int8", "float32"]
DescribesHeatMaps: TypeAlias = Callable[[ModelFile], dict[str, Any]]
PRECISIONS: tuple[Precision, ...] = ("auto", "int8", "float32")
PAGE = (
    "index.html",
    "page.css",
    "page.js",
    "fieldguide.js",
    "fieldguide.d.ts",
    "inference.js",
    "decode.js",
    "resize.js",
    "heat.js",
    "gpu.js",
    "overlay.js",
    "errors.js",
    "worker.js",
    "service-worker.js",
    "manifest.webmanifest",
    "icon.svg",
    "icon.png",
    "package.json",
    "licences.txt",
)
"""Files of the package that are copied."""
MODEL, CARD = "model.onnx", "card.json"
SCRIPT, BINARY, NOTICES = (
    "runtime/ort.js",
    "runtime/ort-wasm-simd-threaded.wasm",
    "runtime/ThirdPartyNotices.txt",
)
GPU_SCRIPT, GPU_BINARY = "runtime/ort.webgpu.js", "runtime/ort-wasm-simd-threaded.asyncify.wasm"
ALL = frozenset((*PAGE, MODEL, CARD, SCRIPT, BINARY, GPU_SCRIPT, GPU_BINARY, NOTICES))
"""Everything in an exported folder, so that a later export may replace it."""
NOT_ASKED_FOR = frozenset(
    {"fieldguide.d.ts", "package.json", "service-worker.js", "licences.txt", NOTICES, GPU_SCRIPT, GPU_BINARY}
)
"""What a page works without, so that it is not kept for offline use."""
_VERSION, _FILES = b'"VERSION"', b'["FILES"]'


@dataclass(frozen=True)
class Site:
    """What was written."""

    precision: str
    """Of the large weights: ``int8`` or ``float32``."""
    note: str
    """Why that was chosen; empty where a person did."""
    bytes: int
    """Of all files."""


def write(
    model: ModelFile,
    out: Path,
    runtime: WebRuntime,
    precision: Precision = "auto",
    heat_maps: DescribesHeatMaps | None = None,
) -> Site:
    """Write the folder.

    Parameters
    ----------
    model
        Checked by :func:`fieldguide.modelfile.artifact.load_model_file`.
    out
        The folder; an earlier export in it is replaced, anything else is not.
    runtime
        From :func:`fieldguide.modelfile.exports.web_runtime.web_runtime`.
    precision
        Of the large weights; ``auto`` is ``int8`` where the model has any.
    heat_maps
        Says how heat maps come about in the file that is written
        (:func:`fieldguide.explanation.portable_readout.portable_readout`); without it, the page has none.

    Raises
    ------
    OptionError
        If there is no such precision, or the model has no large weights for ``int8``.
    OutputError
        If the folder holds something else, or cannot be written.
    """
    if precision not in PRECISIONS:
        raise OptionError(f"precision: must be one of {', '.join(PRECISIONS)}; got {precision!r}")
    content, chosen, note = _content(model, precision)
    files = {name: _own(name) for name in PAGE}
    files |= {SCRIPT: runtime.script, BINARY: runtime.binary, NOTICES: _notices()}
    if runtime.gpu_script is not None and runtime.gpu_binary is not None:
        files |= {GPU_SCRIPT: runtime.gpu_script, GPU_BINARY: runtime.gpu_binary}
    inside = checked_model_file(content, model.path)
    card = _card(inside, model.digest, chosen, runtime)
    card |= {} if heat_maps is None else {"heat_maps": heat_maps(inside)}
    files |= {MODEL: content, CARD: (written(card) + "\n").encode()}
    files["service-worker.js"] = _with_names(files)
    with new_folder(out, ALL) as folder:
        (folder / "runtime").mkdir()
        for name, data in files.items():
            (folder / name).write_bytes(data)
    return Site(chosen, note, sum(map(len, files.values())))


def _content(model: ModelFile, precision: Precision) -> tuple[bytes, str, str]:
    """The model file for the page, the precision of its large weights, and why that."""
    own = "int8" if model.card.get("exported", {}).get("to") == "int8" else "float32"
    if precision == "float32" or own == "int8":
        return model.content, own, ""
    try:
        return (
            int8.convert(model),
            "int8",
            "int8: about a third of the bytes; for all bits, --precision float32",
        )
    except OptionError:
        if precision == "int8":
            raise
        return model.content, own, "float32: this model has no large weights to round"


def _card(inside: ModelFile, origin: str, precision: str, runtime: WebRuntime) -> dict[str, Any]:
    exported: dict[str, Any] = {
        "to": "web",
        "from": origin,
        "precision": precision,
        "seal": inside.digest,
        "runtime": f"onnxruntime-web {runtime.version}",
    }
    if runtime.gpu_script is not None:
        exported["gpu"] = True
    return {
        **core.without_contents(inside),
        "limits": list(limits_of(inside.card)),
        "exported": exported,
    }


def _with_names(files: dict[str, bytes]) -> bytes:
    """The service worker with the names of all files that it keeps, and a version that changes with them."""
    names = sorted(set(files) - NOT_ASKED_FOR)
    version = hashlib.sha256()
    for name in names:
        version.update(hashlib.sha256(files[name]).digest())
    listed = json.dumps(["./", *names]).encode()
    template = files["service-worker.js"]
    return template.replace(_VERSION, json.dumps(version.hexdigest()[:16]).encode()).replace(_FILES, listed)


def _own(name: str) -> bytes:
    return importlib.resources.files("fieldguide.modelfile.exports").joinpath("web_files", name).read_bytes()


def _notices() -> bytes:
    """What ONNX Runtime says of the works in it; its Python package, which is always there, has the text."""
    found = importlib.util.find_spec("onnxruntime")
    place = Path(found.origin or "").with_name("ThirdPartyNotices.txt") if found is not None else None
    if place is None or not place.is_file():
        return b"https://github.com/microsoft/onnxruntime/blob/main/ThirdPartyNotices.txt\n"
    return place.read_bytes()
