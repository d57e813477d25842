"""What lies beside a published encoder: which file is the graph, and how its images are prepared.

Read are the layouts of transformers.js and Optimum (``onnx/model.onnx``, ``config.json``,
``preprocessor_config.json``), of fastembed (``model.onnx`` beside the same files), of OpenCLIP's exports
(``open_clip_config.json``), and a single ``.onnx`` file with any of these beside it.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.errors import BackboneError
from fieldguide.images.preprocessing import Preprocessing

GRAPHS = (
    *("onnx/vision_model.onnx", "onnx/model.onnx", "vision_model.onnx", "model.onnx"),
    *("onnx/vision_model_fp16.onnx", "onnx/model_fp16.onnx", "model_fp16.onnx"),
    *(
        "onnx/vision_model_quantized.onnx",
        "onnx/model_quantized.onnx",
        "model_quantized.onnx",
        "onnx/model_int8.onnx",
    ),
)
"""Where the graph is looked for in a folder, the most exact first."""
SETTINGS = ("preprocessor_config.json", "open_clip_config.json", "config.json")
MOST_BYTES = 100_000
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_FILTERS = {2: "bilinear", 3: "bicubic"}
"""Pillow's numbers of filters, as preprocessor_config.json has them."""


@dataclass(frozen=True)
class EncoderFiles:
    """A published encoder on this machine."""

    graph: Path
    """The ONNX file."""
    name: str
    """What the card calls it."""
    licence: str
    """As its config.json says, else that it is not known."""
    size: int | None
    """Side of its input in pixels; None where only the graph can tell."""
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str
    """Pillow's filter."""
    said: bool
    """Whether mean and deviation are the publisher's; else ImageNet's are taken."""

    def preprocessing(self, size: int) -> Preprocessing:
        """The whole image at `size` pixels, as features are taken of it."""
        filter_: Any = self.interpolation
        return Preprocessing(size, mode="squash", interpolation=filter_, mean=self.mean, std=self.std)


def is_encoder(name: str) -> bool:
    """Whether the name of a backbone is a path: a file ending in .onnx, or a folder with a slash in its name.

    A folder that happens to be called as a network is must not stand in for it.
    """
    return name.endswith(".onnx") or ("/" in name.replace(os.sep, "/") and Path(name).is_dir())


def read_files(path: Path) -> EncoderFiles:
    """Find the graph and read how images are prepared.

    Parameters
    ----------
    path
        A file ending in ``.onnx``, or a folder.

    Raises
    ------
    BackboneError
        If there is no graph, or a setting beside it cannot be read.
    """
    graph = _graph_of(path)
    folders = [graph.parent, graph.parent.parent] if graph.parent.name == "onnx" else [graph.parent]
    settings = {
        name: read_settings(folder / name)
        for folder in folders[::-1]
        for name in SETTINGS
        if (folder / name).is_file()
    }
    image = settings.get("preprocessor_config.json") or settings.get("open_clip_config.json", {}).get(
        "preprocess_cfg", {}
    )
    own = settings.get("config.json", {})
    mean, std = (
        _three(image, long, short, graph) for long, short in (("image_mean", "mean"), ("image_std", "std"))
    )
    filter_ = image.get("resample", image.get("interpolation", 3))
    return EncoderFiles(
        graph=graph,
        name=str(own.get("_name_or_path") or path.resolve().name)[:200],
        licence=str(own.get("license", "unknown, see its publisher"))[:200],
        size=_size(image) or _size(own.get("vision_config", own)),
        mean=mean or _IMAGENET[0],
        std=std or _IMAGENET[1],
        interpolation=filter_ if filter_ in _FILTERS.values() else _FILTERS.get(filter_, "bicubic"),
        said=mean is not None and std is not None,
    )


def _graph_of(path: Path) -> Path:
    if path.suffix == ".onnx":
        if not path.is_file():
            raise BackboneError(f"{path}: no such file; give an .onnx file, or a folder that holds one")
        return path
    found = next((path / name for name in GRAPHS if (path / name).is_file()), None)
    if found is None:
        raise BackboneError(
            f"{path}: holds no encoder; looked for {', '.join(GRAPHS[:4])}, half precision and quantised"
        )
    return found


def read_settings(path: Path) -> dict[str, Any]:
    """Read a JSON object; empty where there is no such file.

    Raises
    ------
    BackboneError
        If it is no JSON object, or too large to be settings.
    """
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES:,} bytes")
        content = json.loads(path.read_bytes())
        if not isinstance(content, dict):
            raise ValueError("no JSON object")
    except (OSError, ValueError, RecursionError) as error:
        raise BackboneError(
            f"{path}: cannot be read as settings ({error}); mend it or take it out"
        ) from error
    return content


def _three(image: dict[str, Any], long: str, short: str, graph: Path) -> tuple[float, float, float] | None:
    values = image.get(long, image.get(short))
    if values is None:
        return None
    fits = isinstance(values, list) and len(values) == 3 and all(type(v) in (int, float) for v in values)
    if not fits or (short == "std" and min(values) <= 0):
        raise BackboneError(f"{graph.parent}: {long} must be three numbers, got {str(values)[:80]}")
    red, green, blue = map(float, values)
    return red, green, blue


def _size(settings: Any) -> int | None:
    """The side of the input: of the crop where there is one, else of the resized image."""
    if not isinstance(settings, dict):
        return None
    for key in ("crop_size", "size", "image_size"):
        value = settings.get(key)
        if isinstance(value, dict):
            value = value.get("height", value.get("shortest_edge"))
        if isinstance(value, list) and value:
            value = value[0]
        if type(value) is int and 16 <= value <= 1024:
            return value
    return None
