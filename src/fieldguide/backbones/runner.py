"""Runs an exported backbone over batches of pixels: ONNX Runtime on a CPU, torch on a GPU."""

import ctypes.util
import os
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.modelfile.session import open_session
from fieldguide.threads import usable_cores


class Runner(Protocol):
    """Turns pixels into features."""

    kind: str
    """Names what computes, for cache keys: results of different kinds differ in their last digits."""
    batch: int
    """Images a call that suit it best."""
    at_once: int
    """Calls from different threads that suit it best."""

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Map pixels of shape (n_images, size, size, 3) to features of shape (n_images, n_features)."""


class OnnxRunner:
    """ONNX Runtime on all cores of this machine, a batch in each.

    Cores that share one batch wait for each other after every layer: a core a batch is a fifth to a third
    faster (docs/log.md), and gives the same bits on any number of cores.

    Parameters
    ----------
    backbone
        An exported backbone.
    """

    batch = 2  # larger ones no longer fit the caches of one core and are slower
    kind: str = f"onnxruntime {onnxruntime.__version__}, one thread, {batch} images"

    def __init__(self, backbone: ExportedBackbone) -> None:
        self._session = open_session(backbone.path, str(backbone.path), 1)
        self.at_once: int = usable_cores()

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the network."""
        features: NDArray[np.float32] = self._session.run(["features"], {"pixels": pixels})[0]
        return features


class TorchRunner:
    """The same network in torch, in full float32 precision.

    Parameters
    ----------
    backbone
        An exported backbone.
    device
        torch's name of the device.
    """

    batch = 128
    at_once = 1

    def __init__(self, backbone: ExportedBackbone, device: str = "cuda") -> None:
        import torch

        from fieldguide.backbones.timm_networks.build import build_tapped

        self._torch, self._device = torch, device
        self._networks = [
            build_tapped(part.timm_name, part.preprocessing, part.weights, taps=part.taps, head=False).to(
                device
            )
            for part in backbone.parts or (backbone,)
        ]
        self.kind: str = f"torch {torch.__version__} {device}"

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the network."""
        torch = self._torch
        # TF32 would be faster, but its features would not be those of the model file.
        exact = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
        with torch.inference_mode(), exact:
            batch = torch.from_numpy(pixels).to(self._device)
            features = torch.cat([network(batch)[0] for network in self._networks], dim=1)
            result: NDArray[np.float32] = features.float().cpu().numpy()
        return result


def best_runner(backbone: ExportedBackbone) -> Runner:
    """Return torch's runner where it can use a GPU, else ONNX Runtime's.

    torch is imported only on a machine that shows signs of a GPU, since importing it takes seconds.
    """
    # What is not timm's cannot be built again from its name alone.
    if backbone.timm_name and _may_have_gpu():
        try:
            import torch
        except ImportError:
            return OnnxRunner(backbone)
        if torch.cuda.is_available():
            return TorchRunner(backbone)
    return OnnxRunner(backbone)


def _may_have_gpu() -> bool:
    # Linux with NVIDIA, Windows' own Linux, AMD; then Windows.
    devices = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
    return any(Path(device).exists() for device in devices) or (
        os.name == "nt" and ctypes.util.find_library("nvcuda") is not None
    )
