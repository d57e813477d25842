"""Which modules of the package need neither torch nor an extra of their own."""

from collections.abc import Iterator
from pathlib import Path

import fieldguide

SOURCE = Path(fieldguide.__file__).parent
NEED_TORCH = (
    "training",
    "recipes.networks",
    "recipes.cnn",
    "recipes.finetune",
    "backbones.timm_networks.build",
    "backbones.timm_networks.onnx_export",
    "backbones.timm_networks.published",
    "backbones.timm_networks.tapped_network",
)
"""The rooms in which torch or timm is at home; everything else must do without."""
OTHER_EXTRAS = (
    "app",
    "server",
    "commands.app",
    "commands.serve",
    "learning.history_plot",
    "experiments.tuning_plot",
    "modelfile.exports.litert.builder",
    "modelfile.exports.litert.elementwise",
    "modelfile.exports.litert.layers",
    "modelfile.exports.litert.rounding",
    "modelfile.exports.litert.translation",
    "modelfile.exports.litert.values",
    "modelfile.exports.litert.views",
)
"""Modules that need an extra of their own."""

FORBID = """
import importlib.util, sys
FORBIDDEN = ("torch", "torchvision", "timm", "onnxscript", "lightning_fabric", "huggingface_hub", "pyarrow")
class Nowhere:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] in FORBIDDEN:
            raise ModuleNotFoundError(f"{name} is forbidden", name=name)
sys.meta_path.insert(0, Nowhere())
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in FORBIDDEN else real(name, *rest)
"""
"""Code that has a process find none of these libraries."""


def modules() -> Iterator[str]:
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name and name != "__main__" and not is_below(name, (*NEED_TORCH, *OTHER_EXTRAS)):
            yield f"fieldguide.{name}"


def is_below(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)
