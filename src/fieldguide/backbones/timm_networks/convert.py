"""The step of an export that needs torch and timm; in a process of its own, unless they are loaded already.

torch with timm takes some 800 MB, which a process would keep long after the export, beside the photos.
"""

import hashlib
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fieldguide.backbones.taps import Taps
from fieldguide.errors import BackboneError
from fieldguide.files import scratch_folder
from fieldguide.installation import command_for

ASKED, FACTS, MODEL = "asked.json", "facts.json", "model.onnx"
"""What two processes hand each other in a folder."""


@dataclass(frozen=True)
class Conversion:
    """A network to convert; what it says is all that the result depends on."""

    name: str
    """Of the catalogue or of timm."""
    size: int
    """Side of its input in pixels."""
    head: bool
    """Whether its own class scores are an output too."""
    weights: str
    """The weights file."""
    taps: Taps
    """Which depths become features."""


def converted(conversion: Conversion) -> tuple[bytes, dict[str, Any]]:
    """Convert a network to ONNX.

    Returns
    -------
    bytes, dict
        The model, and its digest, preprocessing, depths and classes as JSON holds them.

    Raises
    ------
    BackboneError
        If torch or timm is missing, the weights do not fit, or the network cannot be exported.
    """
    # What a person registered with timm exists in this process alone.
    if "timm" in sys.modules or not sys.executable:
        return convert(conversion)
    return _converted_apart(conversion)


def convert(conversion: Conversion) -> tuple[bytes, dict[str, Any]]:
    """Do it in this process; as :func:`converted`."""
    try:
        from fieldguide.backbones.catalogue import find
        from fieldguide.backbones.class_names import class_names
        from fieldguide.backbones.timm_networks.build import build_tapped, native_preprocessing
        from fieldguide.backbones.timm_networks.onnx_export import to_onnx
    except ImportError as error:
        raise BackboneError(
            f"{error.name} is needed to prepare this network, and is not installed; run: "
            f"{command_for('torch')}"
        ) from error
    backbone, head = find(conversion.name), conversion.head
    preprocessing = native_preprocessing(backbone.timm_name, conversion.size, head)
    network = build_tapped(
        backbone.timm_name, preprocessing, Path(conversion.weights), taps=conversion.taps, head=head
    )
    classes = class_names(backbone.name, network.network.num_classes) if head else None
    model = to_onnx(network, backbone.name)
    return model, {
        "digest": hashlib.sha256(model).hexdigest(),
        "preprocessing": preprocessing.as_dict(),
        "depths": network.depths,
        "classes": classes,
    }


def _converted_apart(conversion: Conversion) -> tuple[bytes, dict[str, Any]]:
    with scratch_folder() as folder:
        (folder / ASKED).write_text(json.dumps(asdict(conversion)))
        code = (
            "import sys; from fieldguide.backbones.timm_networks.convert import answer; answer(sys.argv[1])"
        )
        # -P: what lies in the current folder must not stand in for a module.
        command = [sys.executable, "-P", "-c", code, str(folder)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            last = (run.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise BackboneError(
                f"{conversion.name}: the process that prepares it ended with code {run.returncode}: {last}"
            )
        facts: dict[str, Any] = json.loads((folder / FACTS).read_bytes())
        if "error" in facts:
            raise BackboneError(facts["error"])
        return (folder / MODEL).read_bytes(), facts


def answer(folder: str) -> None:
    """Convert what a file in the folder asks for, and leave there what came of it."""
    place = Path(folder)
    asked = json.loads((place / ASKED).read_bytes())
    taps = asked.pop("taps")
    pools: dict[str, Any] = {key: tuple(taps.pop(key)) for key in ("pooling", "final_pooling")}
    try:
        model, facts = convert(Conversion(**asked, taps=Taps(**taps, **pools)))
        (place / MODEL).write_bytes(model)
    except BackboneError as error:
        facts = {"error": str(error)}
    (place / FACTS).write_text(json.dumps(facts))
